/**
 * Asking qmail-clean, many messages at a time, until it has been done. A request whose answer was lost may have been
 * carried out, and the number it names, an inode, would soon be a new message's. So a message's text is held open from
 * before the first request to the answer: as long as it is, no other file gets that inode.
 * @module
 */
import type { Held } from "../lib/disk/disk.ts";
import { describeError, log } from "../lib/log/log.ts";
import { type Client, ConnectionLost } from "../lib/wire/client.ts";
import { type CleanOp, parseCleanReply } from "../lib/wire/clean_protocol.ts";

const awayMs = 200;
/** qmail's pause after an internal error. */
const failedMs = 123_000;

/** Files held open at a time. */
const mostHeld = 256;

interface Batch {
  readonly messages: number[];
  readonly done: Promise<ReadonlySet<number>>;
}

export class Cleaner {
  readonly #client: Client;
  readonly #hold: (id: number) => Held | undefined;
  readonly #batches = new Map<CleanOp, Batch>();
  #holding = 0;
  #room: (() => void)[] = [];
  #stopped = false;

  /** `hold`: holds a message's text open; undefined when it has none. */
  constructor(client: Client, hold: (id: number) => Held | undefined) {
    this.#client = client;
    this.#hold = hold;
  }

  /** Settles once the message's files are gone; answers false only when the process is ending before that. */
  async clean(op: CleanOp, id: number): Promise<boolean> {
    // The text stays: its number cannot become another's.
    if (op === "todo") return await this.#ask(op, id);
    while (this.#holding >= mostHeld) await new Promise<void>((resolve) => this.#room.push(resolve));
    const held = this.#hold(id);
    // Its text goes last: nothing is left of it, and its number may be another's.
    if (held === undefined) return true;
    this.#holding++;
    try {
      return await this.#ask(op, id);
    } finally {
      held.close();
      this.#holding--;
      this.#room.shift()?.();
    }
  }

  async #ask(op: CleanOp, id: number): Promise<boolean> {
    while (!this.#stopped) {
      const batch = this.#batchFor(op);
      batch.messages.push(id);
      try {
        if (!(await batch.done).has(id)) return true;
        log(`warning: qmail-clean unable to clean up ${op}/${id}`);
        await this.#pause(failedMs);
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        await this.#pause(awayMs);
      }
    }
    return false;
  }

  /** It will be asked soon. */
  wake(): void {
    // What is wrong with the connection is said to whoever asks.
    this.#client.connect().catch(() => {});
  }

  /** What is under way is not tried again. */
  stop(): void {
    this.#stopped = true;
  }

  async #pause(ms: number): Promise<void> {
    for (const end = Date.now() + ms; !this.#stopped && Date.now() < end;) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(awayMs, ms)));
    }
  }

  #batchFor(op: CleanOp): Batch {
    const open = this.#batches.get(op);
    if (open !== undefined) return open;
    const messages: number[] = [];
    const batch = { messages, done: this.#send(op, messages) };
    this.#batches.set(op, batch);
    return batch;
  }

  async #send(op: CleanOp, messages: number[]): Promise<ReadonlySet<number>> {
    // All that this turn asks for goes along.
    await Promise.resolve();
    this.#batches.delete(op);
    const reply = await this.#client.request({ op, messages });
    try {
      return new Set(parseCleanReply(reply).failed);
    } catch (error) {
      throw new ConnectionLost(`qmail-clean answered nonsense: ${describeError(error)}`);
    }
  }
}
