/**
 * Lines that processes said, kept, and waited for.
 * @module
 */
import { within } from "./wait.ts";

interface Waiting {
  readonly predicate: (line: string) => boolean;
  readonly resolve: (line: string) => void;
}

export class LogLines {
  #lines: string[] = [];
  /** Lines before them. */
  #dropped = 0;
  readonly #waiting = new Set<Waiting>();

  get length(): number {
    return this.#dropped + this.#lines.length;
  }

  /** Those from the `from`th on, as far as they are kept. */
  lines(from = 0): readonly string[] {
    return this.#lines.slice(Math.max(0, from - this.#dropped));
  }

  /** Forgets those said so far; they keep their numbers. */
  drop(): void {
    this.#dropped += this.#lines.length;
    this.#lines = [];
  }

  text(from = 0): string {
    return this.lines(from).join("\n");
  }

  add(line: string): void {
    this.#lines.push(line);
    for (const waiting of [...this.#waiting]) {
      if (!waiting.predicate(line)) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(line);
    }
  }

  /** The first line from the `from`th on that `predicate` takes, be it said already or within `timeoutMs`. */
  async waitFor(predicate: (line: string) => boolean, timeoutMs: number, from = 0): Promise<string> {
    const said = this.lines(from).find(predicate);
    if (said !== undefined) return said;
    const { promise, resolve } = Promise.withResolvers<string>();
    const waiting = { predicate, resolve };
    this.#waiting.add(waiting);
    try {
      return await within(promise, timeoutMs, () => `a line; said was:\n${this.text()}`);
    } finally {
      this.#waiting.delete(waiting);
    }
  }
}
