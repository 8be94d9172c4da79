/**
 * Netstrings (qmail's interface): a length in decimal digits, ":", so many octets, ",". They may stand within each other.
 *
 * A length is taken for what it is, a claim: nothing is allocated by it, and one beyond the caller's limit, or beyond the
 * end of the netstring around it, is a fault as soon as its digits say so. Leading zeros are refused, as the format has
 * them: unlike qmail, which took them.
 * @module
 */

/** What is wrong: `bad-length` (no digits, a leading zero, beyond the end of what is around it), `too-long`, `no-comma`. */
export type NetstringFault = "bad-length" | "too-long" | "no-comma";

/** Octets of one netstring at the most (qmail's number). */
export const longestNetstring = 200_000_000;

const [zero, nine, colon, comma] = [0x30, 0x39, 0x3a, 0x2c];
const nothing = new Uint8Array(0);

/**
 * Reads netstrings from chunks of any size, each begun and ended by the caller, who takes the octets between as they come.
 * `begin` and `end` answer false while octets are missing, and after a fault for ever.
 */
export class NetstringReader {
  #chunk: Uint8Array = nothing;
  /** Octets left of each netstring that is open, the outermost first. */
  readonly #open: number[] = [];
  #length: number | undefined;
  #fault: NetstringFault | undefined;

  get fault(): NetstringFault | undefined {
    return this.#fault;
  }

  /** Octets that have come and are not taken. */
  get waiting(): number {
    return this.#chunk.length;
  }

  /** Octets left of the innermost netstring. */
  get left(): number {
    return this.#open.at(-1) ?? 0;
  }

  push(chunk: Uint8Array): void {
    if (this.#chunk.length === 0) this.#chunk = chunk;
    else {
      const both = new Uint8Array(this.#chunk.length + chunk.length);
      both.set(this.#chunk);
      both.set(chunk, this.#chunk.length);
      this.#chunk = both;
    }
  }

  /** Reads a length of at most `most`. */
  begin(most: number): boolean {
    while (this.#fault === undefined && this.#chunk.length > 0) {
      if (this.#open.length > 0 && this.left === 0) return this.#fail("bad-length");
      const octet = this.#chunk[0]!;
      this.#spend(1);
      if (octet === colon && this.#length !== undefined) {
        // And its comma has to have room in what is around it.
        if (this.#open.length > 0 && this.#length + 1 > this.left) return this.#fail("bad-length");
        this.#open.push(this.#length);
        this.#length = undefined;
        return true;
      }
      if (octet < zero || octet > nine || this.#length === 0) return this.#fail("bad-length");
      this.#length = (this.#length ?? 0) * 10 + (octet - zero);
      if (this.#length > most) return this.#fail("too-long");
    }
    return false;
  }

  /** What there is of the innermost netstring's octets, at most `most`; none: they have not come, or are all taken. */
  take(most = Infinity): Uint8Array {
    const octets = this.#chunk.subarray(0, Math.min(this.left, most));
    this.#spend(octets.length);
    return octets;
  }

  /** Behind the last octet of the innermost netstring: its comma. */
  end(): boolean {
    if (this.left > 0) throw new Error("a netstring is ended that has octets left");
    if (this.#fault !== undefined || this.#chunk.length === 0) return false;
    if (this.#chunk[0] !== comma) return this.#fail("no-comma");
    this.#open.pop();
    this.#spend(1);
    return true;
  }

  #spend(count: number): void {
    this.#chunk = this.#chunk.subarray(count);
    for (let at = 0; at < this.#open.length; at++) this.#open[at]! -= count;
  }

  #fail(fault: NetstringFault): false {
    this.#fault = fault;
    this.#chunk = nothing;
    return false;
  }
}

/**
 * The netstring of an octet string.
 *
 * @example
 * ```ts
 * import { formatNetstring } from "./netstring.ts";
 * formatNetstring("a@example.com"); // "13:a@example.com,"
 * ```
 */
export function formatNetstring(octets: string): string {
  return `${octets.length}:${octets},`;
}
