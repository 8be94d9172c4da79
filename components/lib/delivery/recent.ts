/**
 * What was found out a moment ago and may be taken for true until it is older: a map whose entries end by themselves.
 * @module
 */

interface Known<V> {
  readonly value: V;
  readonly untilMs: number;
}

/** Holds at most `most` values, each for `keepMs`. */
export class Recent<V> {
  readonly #known = new Map<string, Known<V>>();
  readonly #keepMs: number;
  readonly #most: number;

  constructor(keepMs: number, most = 1000) {
    this.#keepMs = keepMs;
    this.#most = most;
  }

  get(key: string, nowMs: number): V | undefined {
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    // A clock that was set back makes nothing true for longer.
    if (nowMs < known.untilMs && known.untilMs - nowMs <= this.#keepMs) return known.value;
    this.#known.delete(key);
    return undefined;
  }

  set(key: string, value: V, nowMs: number): void {
    this.#known.delete(key);
    // The oldest one is the first.
    if (this.#known.size >= this.#most) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(key, { value, untilMs: nowMs + this.#keepMs });
  }

  delete(key: string): void {
    this.#known.delete(key);
  }
}
