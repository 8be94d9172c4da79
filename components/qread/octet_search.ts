/**
 * Finds an octet string in a stretch of memory (Horspool): it skips as many octets as the string has, mostly.
 * @module
 */
import { toOctets } from "../lib/octets.ts";

export class OctetSearch {
  readonly #needle: Uint8Array;
  readonly #skip = new Uint16Array(256);

  /** `needle` is an octet string, shorter than 65,536. */
  constructor(needle: string) {
    this.#needle = toOctets(needle);
    this.#skip.fill(Math.max(1, needle.length));
    for (let at = 0; at < needle.length - 1; at++) this.#skip[this.#needle[at]!] = needle.length - 1 - at;
  }

  /** Whether it is there between `from` and `to` (exclusive). */
  isIn(octets: Uint8Array, from: number, to: number): boolean {
    const needle = this.#needle;
    const last = needle.length - 1;
    if (last < 0) return true;
    for (let end = from + last; end < to; end += this.#skip[octets[end]!]!) {
      let at = last;
      while (at >= 0 && octets[end - last + at] === needle[at]) at--;
      if (at < 0) return true;
    }
    return false;
  }

  /** Whether it is exactly what is there. */
  is(octets: Uint8Array, from: number, to: number): boolean {
    return to - from === this.#needle.length && this.isIn(octets, from, to);
  }
}
