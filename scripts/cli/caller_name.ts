/**
 * By which name the commands were called, for who needs no more of called.ts, which knows them all.
 * @module
 */

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
export function callerName(): Caller {
  return shared[callerKey] === "dqmail" ? "dqmail" : "deno task";
}
