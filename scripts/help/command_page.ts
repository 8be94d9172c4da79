/** The manual page of a command. @module */
import { type Command, formatOption } from "../cli/command.ts";
import { helpOption } from "../cli/help_text.ts";
import { lines, list, type Page, part, text } from "./page.ts";

/** From what is known of the command. */
export function commandPage(command: Command): Page {
  const { name, does, usage, about, words = [], options, examples, codes } = command;
  return {
    name: `dqmail-${name}`,
    section: 8,
    does,
    parts: [
      ...part("SYNOPSIS", lines(...usage.map((form) => `dqmail ${name} ${form}`.trimEnd()))),
      ...part("DESCRIPTION", ...about.map(text)),
      ...part(
        "COMMANDS",
        list(words.map(({ name, then, does }) => [then === undefined ? name : `${name} ${then}`, does])),
      ),
      ...part(
        "OPTIONS",
        list([...options.map((option) => [formatOption(option), meaningOf(option)] as const), helpOption]),
      ),
      ...part(
        "EXAMPLES",
        lines(...examples.flatMap(({ line, does }) => does === undefined ? [line] : [line, `    ${does}`])),
      ),
      ...part("EXIT STATUS", list(codes.map(([code, means]) => [String(code), means]))),
      ...part(
        "ENVIRONMENT",
        list(command.hasHome ? [["DQMAIL_HOME", "the home where --home is not given; default var"]] : []),
      ),
    ],
    seeAlso: ["exit-codes"],
  };
}

function meaningOf({ of, does }: Command["options"][number]): string {
  return of === undefined ? does : `${does} (${of.join(", ")})`;
}
