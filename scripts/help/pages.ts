/**
 * Every manual page, by the words that `dqmail help` knows it by.
 * @module
 */
import { manifests } from "../../config/manifests.ts";
import { tools, wrappers } from "../../components/tools/permissions.ts";
import { commands } from "../cli/commands.ts";
import { controlFiles } from "../config/control_value.ts";
import { commandPage } from "./command_page.ts";
import { componentPage } from "./component_page.ts";
import { controlPage } from "./control_page.ts";
import type { Page } from "./page.ts";
import { toolPage, wrapperPage } from "./tool_page.ts";
import { exitCodesTopic, logTopic, queueTopic } from "./topics/mail.ts";
import { fromPostfixTopic, fromQmailTopic, upgradingTopic } from "./topics/moving.ts";
import { filtersTopic, securityTopic, tlsTopic } from "./topics/safety.ts";

/** What a page is about. */
export const kinds = ["topic", "command", "component", "control", "bin"] as const;
export type Kind = (typeof kinds)[number];

/** A page that is not made yet. */
export interface Topic {
  readonly kind: Kind;
  readonly name: string;
  readonly does: string;
  readonly page: () => Page;
}

const overviews: readonly (readonly [name: string, page: () => Page])[] = [
  ["queue", () => queueTopic],
  ["log", () => logTopic],
  ["security", securityTopic],
  ["filters", filtersTopic],
  ["tls", tlsTopic],
  ["from-qmail", () => fromQmailTopic],
  ["from-postfix", () => fromPostfixTopic],
  ["upgrading", () => upgradingTopic],
  ["exit-codes", () => exitCodesTopic],
];

/** All of them, overviews first. */
export const topics: readonly Topic[] = [
  ...overviews.map(([name, page]): Topic => ({ kind: "topic", name, does: page().does, page })),
  ...commands.map((command): Topic => ({
    kind: "command",
    name: command.name,
    does: command.does,
    page: () => commandPage(command),
  })),
  ...manifests.map((manifest): Topic => ({
    kind: "component",
    name: manifest.name,
    does: manifest.job,
    page: () => componentPage(manifest),
  })),
  ...controlFiles.map((file): Topic => {
    const page = () => controlPage(file);
    return { kind: "control", name: file, does: page().does, page };
  }),
  ...tools.map((tool): Topic => ({ kind: "bin", name: tool.name, does: tool.job, page: () => toolPage(tool) })),
  ...wrappers.map((wrapper): Topic => ({
    kind: "bin",
    name: wrapper.name,
    does: wrapper.job,
    page: () => wrapperPage(wrapper),
  })),
];

/** All pages of that name; `KIND/NAME` is one page alone, and `dqmail-NAME` a command's. */
export function findTopics(word: string): readonly Topic[] {
  const [kind, name] = /^([a-z]+)\/(.+)$/.exec(word)?.slice(1) ?? [];
  if (kind !== undefined) return topics.filter((topic) => topic.kind === kind && topic.name === name);
  const found = topics.filter((topic) => topic.name === word);
  if (found.length > 0) return found;
  const command = /^dqmail-(.+)$/.exec(word)?.[1];
  return topics.filter((topic) => topic.kind === "command" && topic.name === command);
}
