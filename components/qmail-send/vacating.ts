/**
 * Messages that are to leave the journal before their first attempt has ended, some at a time.
 * @module
 */
import type { Message } from "./message.ts";

const mostAtOnce = 32;

export class Vacating {
  readonly #waiting: Message[] = [];
  readonly #vacate: (message: Message) => Promise<void> | undefined;
  #running = 0;

  /** `vacate`: has one leave; undefined: it will not, or need not any more. */
  constructor(vacate: (message: Message) => Promise<void> | undefined) {
    this.#vacate = vacate;
  }

  add(messages: Iterable<Message>): void {
    this.#waiting.push(...messages);
    this.#more();
  }

  #more(): void {
    while (this.#running < mostAtOnce) {
      const message = this.#waiting.shift();
      if (message === undefined) return;
      const vacated = this.#vacate(message);
      if (vacated === undefined) continue;
      this.#running++;
      void vacated.finally(() => {
        this.#running--;
        this.#more();
      });
    }
  }
}
