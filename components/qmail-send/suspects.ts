/**
 * Files in mess that belong to no message: qmail-queue may be writing them, or a predecessor of it died over them. Only
 * the sole writer knows, so it is asked. Meanwhile they are held open: whoever removes one cannot free its number for a
 * new message, which the answer would then be taken for. And what became a message between question and answer is no
 * suspect any more, whatever the answer says.
 * @module
 */
import type { Held } from "../lib/disk/disk.ts";

/** Suspects at a time; a survey to come finds the others again. */
const mostHeld = 256;

export class Suspects {
  readonly #hold: (id: number) => Held | undefined;
  readonly #held = new Map<number, Held>();

  constructor(hold: (id: number) => Held | undefined) {
    this.#hold = hold;
  }

  add(ids: readonly number[]): void {
    for (const id of ids) {
      if (this.#held.size >= mostHeld) return;
      if (this.#held.has(id)) continue;
      const held = this.#hold(id);
      if (held !== undefined) this.#held.set(id, held);
    }
  }

  /** All there are, for the question. */
  all(): number[] {
    return [...this.#held.keys()];
  }

  /** This one is a message. */
  clear(id: number): void {
    this.take(id)?.close();
  }

  /** Whether `id` is a suspect still: it is none after that, and is the caller's to close. */
  take(id: number): Held | undefined {
    const held = this.#held.get(id);
    this.#held.delete(id);
    return held;
  }

  /** The question was asked of a process that is gone: the next survey finds what is left of them. */
  forget(): void {
    for (const id of this.all()) this.clear(id);
  }
}
