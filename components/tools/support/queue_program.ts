/**
 * The program that a caller's QMAILQUEUE names, started for one message in the queue's home.
 * @module
 */
import { spawn } from "node:child_process";
import { QueueProgram } from "../../lib/queue/queue_program.ts";
import type { Caller } from "./caller.ts";
import { shell, shellArguments } from "./child.ts";

/** Starts it; its shell moves the pipes of the envelope and of its text to where a program looks for them. */
export function startQueueProgram({ home, environment }: Caller, program: string): QueueProgram {
  const child = spawn(shell, shellArguments(environment, [program], "exec 1<&3 3<&- 6>&4 4>&-\n"), {
    cwd: home.dir,
    env: {},
    stdio: ["pipe", "ignore", "inherit", "pipe", "pipe"],
  });
  return new QueueProgram(child);
}
