/**
 * The program that a caller's QMAILQUEUE names, started for one message in the queue's home.
 * @module
 */
import { spawn } from "node:child_process";
import { QueueProgram } from "../../lib/queue/queue_program.ts";
import type { Caller } from "./caller.ts";
import { shell, shellArguments } from "./child.ts";

/** Starts it; its shell moves the envelope's pipe to the place where a program looks for it. */
export function startQueueProgram({ home, environment }: Caller, program: string): QueueProgram {
  const child = spawn(shell, shellArguments(environment, [program], "exec 1<&3 3<&-\n"), {
    cwd: home.dir,
    env: {},
    stdio: ["pipe", "ignore", "inherit", "pipe"],
  });
  return new QueueProgram(child);
}
