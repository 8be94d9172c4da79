/**
 * Asking qmail-clean, many messages at a time, until it has been done.
 * @module
 */
import { describeError, log } from "../lib/log/log.ts";
import { type Client, ConnectionLost } from "../lib/wire/client.ts";
import { type CleanOp, parseCleanReply } from "../lib/wire/clean_protocol.ts";

const awayMs = 200;
/** qmail's pause after an internal error. */
const failedMs = 123_000;

interface Batch {
  readonly messages: number[];
  readonly done: Promise<ReadonlySet<number>>;
}

export class Cleaner {
  readonly #client: Client;
  readonly #batches = new Map<CleanOp, Batch>();
  #stopped = false;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Settles once the message's files are gone; answers false only when the process is ending before that. */
  async clean(op: CleanOp, id: number): Promise<boolean> {
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
