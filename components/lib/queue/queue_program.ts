/**
 * Queueing by a program as qmail-queue is one (qmail's interface): message on descriptor 0, envelope on descriptor 1, the
 * result as exit code, which is 82 where the program says on descriptor 6 what the sender is to be told. The envelope's end
 * comes only when all of the message was there: what goes wrong before leaves nothing in the queue.
 * @module
 */
import { Buffer } from "node:buffer";
import type { ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { toOctets } from "../octets.ts";
import { keep, type Kept } from "../process/kept_output.ts";
import { formatCallerEnvelope } from "./caller_envelope.ts";
import type { Envelope } from "./envelope.ts";

/** For the exit code of one that a signal ended: it has none. */
export const crashed = -1;

/** The code that comes with a text, and octets of it at the most. */
const [customCode, longestText] = [82, 255];

/** How it went: the program's exit code, or {@link crashed}, and its process id. */
export interface QueuedBy {
  readonly code: number;
  readonly qp: number;
  /** What it said instead of its code's own text: "D" (for good) or "Z" (for now), and printable ASCII. */
  readonly text?: string;
}

/** One message on its way into a program. Used as a Submission is. */
export class QueueProgram {
  readonly #child: ChildProcess;
  readonly #message: Writable;
  readonly #envelope: Writable;
  readonly #text: Kept;
  readonly #end: () => void;
  readonly #exited: Promise<number>;
  #hasEnded = false;
  /** Settles the write under way. A race with the end would hold on to every piece until then. */
  #goOn = () => {};

  /**
   * `child` is what stands in front of the program: a shell, to whom node gives the envelope's pipe as descriptor 3, for
   * only pipes beyond 2 are such that a child can read them, and the one for its text as 4. `end` has the program go, with
   * all it started.
   */
  constructor(child: ChildProcess, end: () => void = () => child.kill("SIGKILL")) {
    this.#child = child;
    this.#end = end;
    this.#exited = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code) => resolve(code ?? crashed));
    });
    const ended = () => {
      this.#hasEnded = true;
      this.#goOn();
    };
    this.#exited.then(ended, ended);
    [this.#message, this.#envelope] = [child.stdin as Writable, child.stdio[3] as Writable];
    this.#text = keep(child.stdio[4] as Readable, longestText + 1);
    // One that refuses before it has read all says why by its code.
    for (const pipe of [this.#message, this.#envelope]) pipe.on("error", ended);
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

  /** Queues it. Rejects where the program did not start. */
  async commit(envelope: Envelope): Promise<QueuedBy> {
    this.#message.end();
    this.#envelope.end(Buffer.from(toOctets(formatCallerEnvelope(envelope))));
    const ended = { code: await this.#exited, qp: this.#child.pid ?? 0 };
    const text = ended.code === customCode ? await this.#text.text() : "";
    return isReplyText(text) ? { ...ended, text: text.replace(/[^\x20-\x7e]/g, "?") } : ended;
  }

  /** Ends the program before it could take what it has for the whole; settles when it is gone. */
  async abort(): Promise<void> {
    this.#end();
    await this.#exited.catch(() => {});
  }
}

/** A letter that says how long it is meant, and something to say. */
function isReplyText(text: string): boolean {
  return /^[DZ]/.test(text) && text.length > 2 && text.length <= longestText;
}
