/**
 * Those who wait for a process: served in the order they came, so that a thousand users at once need no thousand
 * processes, and nobody is passed over.
 * @module
 */

/** More than any concurrencylocal in use: beyond it, later is better. */
export const mostWaiting = 10_000;

interface Waiting {
  readonly key: string;
  readonly onTurn: () => void;
}

export class Line {
  readonly #waiting: Waiting[] = [];

  get length(): number {
    return this.#waiting.length;
  }

  /** Joins at the end, or in front (whose turn came to nothing); answers undefined where there are too many, else a way out. */
  join(key: string, onTurn: () => void, inFront: boolean): (() => void) | undefined {
    if (this.#waiting.length >= mostWaiting) return undefined;
    const entry = { key, onTurn };
    if (inFront) this.#waiting.unshift(entry);
    else this.#waiting.push(entry);
    return () => {
      const at = this.#waiting.indexOf(entry);
      if (at >= 0) this.#waiting.splice(at, 1);
    };
  }

  /** A process has become free: the first may try. */
  next(): void {
    this.#waiting.shift()?.onTurn();
  }

  /** There is a process for `key` now: all who wait for that one may use it. */
  serve(key: string): void {
    const served = this.#waiting.filter((waiting) => waiting.key === key);
    for (const waiting of served) this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
    for (const { onTurn } of served) onTurn();
  }
}
