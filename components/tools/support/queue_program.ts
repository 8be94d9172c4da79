/**
 * Queueing by a program as qmail-queue is one (qmail's interface): message on descriptor 0, envelope on descriptor 1, the
 * result as exit code. The envelope's end comes only when all of the message was there: what goes wrong before leaves
 * nothing in the queue.
 * @module
 */
import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { toOctets } from "../../lib/octets.ts";
import type { Envelope } from "../../lib/queue/envelope.ts";
import type { QueueReply } from "../../lib/wire/queue_protocol.ts";
import type { Caller } from "./caller.ts";
import { shell, shellArguments } from "./child.ts";

/** The envelope as qmail-queue reads it from descriptor 1. */
export function formatCallerEnvelope({ sender, recipients }: Envelope): string {
  // A NUL in an address would be another recipient; no variable, argument or SMTP command can hold one.
  return `F${sender}\0${recipients.map((recipient) => `T${recipient}\0`).join("")}\0`;
}

/** For the exit code of one that a signal ended: it has none. */
export const crashed = -1;

/** One message on its way into a program that runs in the queue's home. Used as a Submission is. */
export class ProgramSubmission {
  readonly #child: ChildProcess;
  readonly #message: Writable;
  readonly #envelope: Writable;
  readonly #exited: Promise<number>;
  #hasEnded = false;
  /** Settles the write under way. A race with the end would hold on to every piece until then. */
  #goOn = () => {};

  /**
   * Starts the program. The envelope's pipe is the child's descriptor 3 until its shell moves it: node gives a child pipes
   * at any number, but only those beyond 2 are such that the child can read.
   */
  constructor({ home, environment }: Caller, program: string) {
    const child = spawn(shell, shellArguments(environment, [program], "exec 1<&3 3<&-\n"), {
      cwd: home.dir,
      env: {},
      stdio: ["pipe", "ignore", "inherit", "pipe"],
    });
    this.#child = child;
    this.#exited = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code) => resolve(code ?? crashed));
    });
    const end = () => {
      this.#hasEnded = true;
      this.#goOn();
    };
    this.#exited.then(end, end);
    [this.#message, this.#envelope] = [child.stdin as Writable, child.stdio[3] as Writable];
    // One that refuses before it has read all says why by its code.
    for (const pipe of [this.#message, this.#envelope]) pipe.on("error", end);
  }

  /** It takes no more: what is left of the message need not be read. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Adds content. Settles when more may follow, or nobody reads it any more. Never rejects: commit tells. */
  write(octets: Uint8Array): Promise<void> | undefined {
    if (this.#hasEnded || octets.length === 0) return undefined;
    return new Promise((resolve) => {
      this.#goOn = resolve;
      this.#message.write(octets, () => resolve());
    });
  }

  /** Queues it: the program's exit code, or {@link crashed}, and its process id. Rejects where it did not start. */
  async commit(envelope: Envelope): Promise<QueueReply> {
    this.#message.end();
    this.#envelope.end(Buffer.from(toOctets(formatCallerEnvelope(envelope))));
    return { code: await this.#exited, qp: this.#child.pid ?? 0 };
  }

  /** Ends the program before it could take what it has for the whole; settles when it is gone. */
  async abort(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited.catch(() => {});
  }
}
