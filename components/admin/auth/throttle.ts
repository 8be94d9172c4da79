/**
 * What guessing a token costs: each wrong one is answered later than the one before, and only a few may wait. A right one
 * is answered at once and never refused for others' guesses, so nobody can keep the operator out; with 192 random bits in a
 * token that costs nothing.
 * @module
 */

const firstMs = 250;
const longestMs = 8000;
/** Wrong ones that wait for their answer. */
const mostWaiting = 8;

export class Throttle {
  readonly #wait: (ms: number) => Promise<void>;
  #failures = 0;
  #waiting = 0;

  /** `wait` resolves after as many ms. */
  constructor(wait: (ms: number) => Promise<void>) {
    this.#wait = wait;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** To be awaited before a wrong token is answered. False: too many wait already, answer 429 now. */
  async failed(): Promise<boolean> {
    if (this.#waiting >= mostWaiting) return false;
    const ms = Math.min(longestMs, firstMs * 2 ** Math.min(this.#failures, 10));
    this.#failures++;
    this.#waiting++;
    try {
      await this.#wait(ms);
    } finally {
      this.#waiting--;
    }
    return true;
  }
}
