/**
 * `dqmail help [TOPIC...] [--man] [--list] [--json]`: manual pages, made from the manifests, the schema and what is known
 * of the commands. Exit codes: 0; 100 no such topic.
 * @module
 */
import manifest from "../deno.json" with { type: "json" };
import { print } from "../components/lib/process/tool.ts";
import { inWords } from "./cli/called.ts";
import { readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { unknownWord } from "./cli/nearest.ts";
import { formatOverview } from "./cli/overview.ts";
import { mostColumns, wrapList } from "./cli/wrap.ts";
import { fail } from "./fail.ts";
import { findTopics, type Kind, kinds, type Topic, topics } from "./help/pages.ts";
import { mapPage } from "./help/page.ts";
import { formatRoff } from "./help/roff.ts";
import { formatPage } from "./help/text.ts";

const titles: Readonly<Record<Kind, string>> = {
  topic: "Overviews",
  command: "Commands",
  component: "Components",
  control: "Control files",
  bin: "Programs of bin/",
};

function formatList(): string {
  return kinds.map((kind) => {
    const rows = topics.filter((topic) => topic.kind === kind).map(({ name, does }) => [name, does] as const);
    return `${titles[kind]}:\n${wrapList(rows, mostColumns)}`;
  }).join("\n\n");
}

function columns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    // No terminal.
    return mostColumns;
  }
}

function topicsOf(word: string): readonly Topic[] {
  const found = findTopics(word);
  if (found.length > 0) return found;
  return fail(`${unknownWord(word, topics.map(({ name }) => name))}\n"dqmail help --list" lists every topic`);
}

/** What this command does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(commandOf("help"), argv);
  if (args === undefined) return;
  const found = args._.flatMap(topicsOf);
  const say = (text: string) => print([text.endsWith("\n") ? text : `${text}\n`]);
  if (args["json"] === true) {
    const told = found.length === 0
      ? topics.map(({ kind, name, does }) => ({ kind, name, does }))
      : found.map(({ kind, name, page }) => ({ kind, topic: name, ...mapPage(page(), (text) => inWords(text)) }));
    return await print([`${JSON.stringify(told, undefined, 2)}\n`]);
  }
  if (args["list"] === true) return await say(formatList());
  if (found.length === 0) return await say(formatOverview());
  // Before it is wrapped: a command may not be cut by a line's end.
  const pages = found.map(({ page }) => mapPage(page(), (text) => inWords(text)));
  if (args["man"] === true) return await print(pages.map((page) => formatRoff(page, manifest.version)));
  await say(pages.map((page) => formatPage(page, columns())).join("\n\n\n"));
}

if (import.meta.main) await main(Deno.args);
