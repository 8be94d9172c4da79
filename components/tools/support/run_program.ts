/**
 * The frame of a tool that knows its caller: its exit code, and the words for every other end.
 * @module
 */
import { utf8Octets } from "../../lib/octets.ts";
import { type Caller, Ending, parseCaller } from "./caller.ts";
import { writeOctets } from "./input.ts";

/**
 * Runs `work` and ends with its exit code. An {@link Ending} is said as `NAME: fatal: …` and has its code; whatever else
 * is thrown is 111, so that mail is tried again.
 */
export async function runProgram(name: string, work: (caller: Caller) => Promise<number>): Promise<never> {
  Deno.exit(await exitCodeOf(name, work));
}

async function exitCodeOf(name: string, work: (caller: Caller) => Promise<number>): Promise<number> {
  try {
    return await work(parseCaller(Deno.args));
  } catch (error) {
    const text = error instanceof Ending ? error.message : utf8Octets(String(error));
    await say(`${name}: fatal: ${text}`);
    return error instanceof Ending ? error.code : 111;
  }
}

/** One line on standard error. An octet string; where nobody reads it, nothing is lost. */
export async function say(line: string): Promise<void> {
  await writeOctets(Deno.stderr, `${line.replaceAll("\n", "_")}\n`).catch(() => {});
}

/** `usage: …`, and the code for a call that will never be right. */
export function usage(text: string): Ending {
  return new Ending(100, `usage: ${text}`);
}
