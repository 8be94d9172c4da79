/**
 * What `dqmail COMMAND --help` says, from what is known of the command.
 * @module
 */
import { type Caller, caller, inWords } from "./called.ts";
import { type Command, formatOption } from "./command.ts";
import { mostColumns, wrap, wrapList } from "./wrap.ts";

/** What all commands know. */
export const helpOption: readonly [string, string] = ["--help", "says this"];

/** `Usage: dqmail NAME ...`, a line for each form. */
export function formatUsage({ name, usage }: Command): string {
  const word = (at: number) => at === 0 ? "Usage:" : "      ";
  return usage.map((form, at) => `${word(at)} dqmail ${name} ${form}`.trimEnd()).join("\n");
}

/** Usage, what it does, its words, options, examples and exit codes. Commands are called as `by` says. */
export function formatHelp(command: Command, by: Caller = caller()): string {
  const { about, words = [], options, examples, codes } = command;
  // Before it is wrapped: a command may not be cut by a line's end.
  const say = (text: string) => inWords(text, by);
  const parts = [
    say(formatUsage(command)),
    ...about.map((text) => wrap(say(text), mostColumns)),
    titled("", words.map(({ name, then, does }) => [then === undefined ? name : `${name} ${then}`, say(does)])),
    titled("Options:", [
      ...options.map((option): [string, string] => [
        formatOption(option),
        // Where it is for many of them its meaning says which.
        option.of === undefined || option.of.length > 3 ? option.does : `${option.of.join(", ")}: ${option.does}`,
      ]),
      helpOption,
    ]),
    examples.length === 0 ? "" : `Examples:\n${examples.map((example) => say(formatExample(example))).join("\n")}`,
    titled("Exit codes:", codes.map(([code, means]) => [String(code), say(means)])),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function titled(title: string, rows: readonly (readonly [string, string])[]): string {
  if (rows.length === 0) return "";
  return `${title === "" ? "" : `${title}\n`}${wrapList(rows, mostColumns)}`;
}

function formatExample({ line, does }: { readonly line: string; readonly does?: string }): string {
  return does === undefined ? `  ${line}` : `  ${line}\n${wrap(does, mostColumns, 6)}`;
}
