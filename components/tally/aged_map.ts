/**
 * A map whose entries stand in the order in which they were put there, and which knows the oldest one at no cost.
 *
 * A plain Map has the order, but to find its first entry is to step over all that were removed in front of it and not yet
 * swept away: with 200,000 entries, removing the first again and again took 20 µs each, and more the longer it went on.
 * @module
 */

export class AgedMap<V> {
  readonly #map = new Map<string, V>();
  /** Stands behind the oldest entry. */
  #walk = this.#map.entries();
  #oldest: readonly [string, V] | undefined;

  get size(): number {
    return this.#map.size;
  }

  get(key: string): V | undefined {
    return this.#map.get(key);
  }

  has(key: string): boolean {
    return this.#map.has(key);
  }

  /** Puts it behind all others, also where it has been there already. */
  set(key: string, value: V): void {
    this.delete(key);
    this.#map.set(key, value);
  }

  delete(key: string): void {
    if (this.#map.delete(key) && this.#oldest?.[0] === key) this.#oldest = undefined;
  }

  /** The entry that was put there before all others. */
  get oldest(): readonly [string, V] | undefined {
    if (this.#map.size === 0) return undefined;
    if (this.#oldest === undefined) {
      let next = this.#walk.next();
      if (next.done === true) {
        // It had come to the end, and what is there now was put there afterwards.
        this.#walk = this.#map.entries();
        next = this.#walk.next();
      }
      this.#oldest = next.value;
    }
    return this.#oldest;
  }

  /** Removes the oldest entries for as long as they are to go. `gone` is told of each. */
  dropWhile(isToGo: (value: V) => boolean, gone?: (value: V) => void): void {
    for (let oldest = this.oldest; oldest !== undefined && isToGo(oldest[1]); oldest = this.oldest) {
      this.delete(oldest[0]);
      gone?.(oldest[1]);
    }
  }

  /**
   * The entries, oldest first, as many as there are at the beginning: what is put there meanwhile would make it go on for
   * ever.
   */
  *entries(): Generator<readonly [string, V], void, undefined> {
    let left = this.#map.size;
    for (const entry of this.#map) {
      if (left-- <= 0) return;
      yield entry;
    }
  }
}
