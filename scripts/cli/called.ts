/**
 * By which name the commands were called, so that what they tell the operator to type is what works for him: `dqmail
 * status`, or `deno task status` in a checkout.
 * @module
 */
import { commandNames, tasklessNames } from "./commands.ts";

/** What stands in front of a command when it is typed. */
export type Caller = "deno task" | "dqmail";

/** Bundles have a copy of this module each, so it is kept where all of a process find it. */
const shared = globalThis as { [key: symbol]: unknown };
const callerKey = Symbol.for("dqmail.caller");

/** To be said before anything is printed. */
export function calledAs(name: Caller): void {
  shared[callerKey] = name;
}

/** By what they were called. */
export function caller(): Caller {
  return shared[callerKey] === "dqmail" ? "dqmail" : "deno task";
}

const named = commandNames.join("|");
const asTask = new RegExp(`\\bdeno task (?=(?:${named})(?![\\w-]))`, "g");
/** "dqmail" in prose is followed by other words. */
const asCommand = new RegExp(`(?<![\\w/.-])dqmail (?=(${named})(?![\\w-]))`, "g");

/** `text` with the commands in it as the reader has to type them. */
export function inWords(text: string, name: Caller = caller()): string {
  return name === "dqmail"
    ? text.replace(asTask, "dqmail ")
    : text.replace(asCommand, (_, word: string) => tasklessNames.has(word) ? "deno task dqmail " : "deno task ");
}
