/**
 * The journal emptied into qmail's layout, on an operator's word: qmail-queue puts no new message into it, and those in
 * it, with what was on its way, move out. Holds until it is ended, or qmail-send starts again.
 * @module
 */
import type { JournalMessage } from "../lib/wire/queue_protocol.ts";

export interface DrainHands {
  /** Whether new messages may go into the journal. */
  setAccepting(accepting: boolean): void;
  /** Has every message leave that is known to be in the journal. */
  vacateAll(): void;
  /** Has these leave it. */
  vacate(serials: readonly number[], ids: readonly number[]): void;
  /** Messages that are known to be in it. */
  size(): number;
}

export class Drain {
  readonly #hands: DrainHands;
  #draining = false;

  constructor(hands: DrainHands) {
    this.#hands = hands;
  }

  /** Answers how many messages were in the journal. */
  begin(): number {
    const size = this.#hands.size();
    this.#draining = true;
    this.#hands.setAccepting(false);
    this.#hands.vacateAll();
    return size;
  }

  end(): number {
    this.#draining = false;
    this.#hands.setAccepting(true);
    return this.#hands.size();
  }

  /** qmail-queue has connected: a predecessor of this process may have told it to take nothing. */
  connected(): void {
    this.#hands.setAccepting(!this.#draining);
  }

  /** These were in the journal, or on their way into it, when qmail-queue heard of the drain. */
  noticed(entries: readonly JournalMessage[]): void {
    if (this.#draining) this.#hands.vacate(entries.map(({ serial }) => serial), entries.map(({ id }) => id));
  }
}
