/**
 * A limit on what is under way at once, and, for those who ask for it, on how many may wait for that.
 * @module
 */
export class Slots {
  #free: number;
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number, mostWaiting = Infinity) {
    this.#free = count;
    this.#mostWaiting = mostWaiting;
  }

  /** Runs `work` when a slot is free; `undefined` at once when too many wait already. */
  async runUnlessFull<T>(work: () => Promise<T>): Promise<T | undefined> {
    const isFull = this.#free === 0 && this.#waiting.length >= this.#mostWaiting;
    return isFull ? undefined : await this.run(work);
  }

  /** Runs `work` when a slot is free, however many wait. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
