/**
 * mailsubj SUBJECT RECIPIENT…: sends what comes in as a message of that subject (qmail's interface). Exit codes as
 * qmail-inject's.
 * @module
 */
import { toOctets } from "../lib/octets.ts";
import type { Caller } from "./support/caller.ts";
import { readInput } from "./support/input.ts";
import { inject } from "./qmail-inject.ts";
import { runProgram, usage } from "./support/run_program.ts";

/** The header in front of the text. An argument that holds line ends makes no further field of them. */
export function subjectHeader(subject: string, recipients: readonly string[]): string {
  const [line, ...to] = [subject, ...recipients].map((word) => word.replace(/[\r\n]+/g, " "));
  return `Subject: ${line}\nTo: ${to.join(", ")}\n\n`;
}

async function* withHeader(header: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield toOctets(header);
  yield* readInput();
}

async function mailsubj(caller: Caller): Promise<number> {
  const [subject, ...recipients] = caller.args;
  if (subject === undefined || recipients.length === 0) throw usage("mailsubj subject recipient ...");
  return await inject(caller, { args: [], input: withHeader(subjectHeader(subject, recipients)) });
}

if (import.meta.main) await runProgram("mailsubj", mailsubj);
