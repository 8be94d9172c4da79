/**
 * By which name the commands were called, so that what they tell the operator to type is what works for him: `dqmail
 * status`, or `deno task status` in a checkout.
 * @module
 */
import { type Caller, callerName as caller } from "./caller_name.ts";
import { commandNames, tasklessNames } from "./commands.ts";

export { calledAs, type Caller, callerName as caller } from "./caller_name.ts";

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
