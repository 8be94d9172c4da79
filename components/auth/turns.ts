/**
 * Whose password is compared next. To compare one takes some 50 ms of the processor, so few are under way at once; others
 * wait, but not many, and no client has more than half of the places.
 * @module
 */
import { Slots } from "../lib/process/slots.ts";

export interface TurnsOptions {
  readonly atOnce: number;
  readonly mostWaiting: number;
}

export class Turns {
  readonly #slots: Slots;
  readonly #mostOfOne: number;
  /** Those under way and waiting, by client. */
  readonly #taken = new Map<string, number>();

  constructor({ atOnce, mostWaiting }: TurnsOptions) {
    this.#slots = new Slots(atOnce, mostWaiting);
    this.#mostOfOne = Math.ceil((atOnce + mostWaiting) / 2);
  }

  /** What `work` answers; `undefined` at once where too many wait. */
  async take<T>(client: string, work: () => Promise<T>): Promise<T | undefined> {
    const taken = this.#taken.get(client) ?? 0;
    if (taken >= this.#mostOfOne) return undefined;
    this.#taken.set(client, taken + 1);
    try {
      return await this.#slots.runUnlessFull(work);
    } finally {
      const left = this.#taken.get(client)! - 1;
      if (left > 0) this.#taken.set(client, left);
      else this.#taken.delete(client);
    }
  }
}
