/**
 * qmail-send's side of the journal: says which messages are done, asks for others to be moved into the layout, and says
 * it again when qmail-queue was away, until it has heard that it has been done.
 * @module
 */
import type { SendRequest } from "../lib/wire/queue_protocol.ts";

/** Sends a request to qmail-queue; where there is no connection it goes nowhere. */
export type Ask = (request: SendRequest) => void;

interface Move {
  readonly id: number;
  readonly resolve: (moved: boolean) => void;
}

export class JournalLink {
  readonly #ask: Ask;
  readonly #done = new Set<number>();
  #doneSoon: number[] = [];
  readonly #moves = new Map<number, Move>();
  #accepting = true;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** The message needs nothing any more. */
  done(serial: number): void {
    this.#done.add(serial);
    this.#doneSoon.push(serial);
    if (this.#doneSoon.length === 1) queueMicrotask(() => this.#flush());
  }

  /** Whether it was said to be done, and may be told of once more all the same. */
  isDone(serial: number): boolean {
    return this.#done.has(serial);
  }

  /** Settles with true once the message stands in todo; false: not now. */
  move(serial: number, id: number): Promise<boolean> {
    return new Promise((resolve) => {
      this.#moves.set(serial, { id, resolve });
      this.#ask({ op: "move", serial, message: id });
    });
  }

  /** Whether new messages may go into the journal. */
  setAccepting(accepting: boolean): void {
    this.#accepting = accepting;
    this.#ask({ op: "accepting", accepting });
  }

  // --- what qmail-queue says

  connected(): void {
    if (!this.#accepting) this.#ask({ op: "accepting", accepting: false });
    if (this.#done.size > 0) this.#ask({ op: "done", serials: [...this.#done] });
    for (const [serial, { id }] of this.#moves) this.#ask({ op: "move", serial, message: id });
  }

  settled(serials: readonly number[]): void {
    for (const serial of serials) this.#done.delete(serial);
  }

  moved(serial: number, ok: boolean): void {
    this.#moves.get(serial)?.resolve(ok);
    this.#moves.delete(serial);
  }

  #flush(): void {
    const serials = this.#doneSoon;
    this.#doneSoon = [];
    this.#ask({ op: "done", serials });
  }
}
