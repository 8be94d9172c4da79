/**
 * A message's octets as pieces of lines. The start of a line comes in one piece, however the octets were cut: all of the
 * line, or at least {@link longestStart} octets of it.
 * @module
 */
import { concat } from "../wire/frame.ts";

export interface LinePiece {
  readonly octets: Uint8Array;
  /** Whether a line begins with it. */
  readonly begins: boolean;
  /** Whether its last octet is the line's LF. */
  readonly ends: boolean;
}

/** More than a line of a header that programs read, or a delimiter, can have (RFC 5322 §2.1.1). */
export const longestStart = 1024;

const [LF, CR] = [0x0a, 0x0d];

export class LinePieces {
  /** The start of a line, as far as it has come. */
  #start: Uint8Array = new Uint8Array(0);
  #isWithin = false;

  *push(octets: Uint8Array): Generator<LinePiece, void, undefined> {
    for (let at = 0; at < octets.length;) {
      const lf = octets.indexOf(LF, at);
      const part = octets.subarray(at, lf < 0 ? octets.length : lf + 1);
      at += part.length;
      const begins = !this.#isWithin;
      const piece = this.#start.length > 0 ? concat([this.#start, part], this.#start.length + part.length) : part;
      const ends = lf >= 0;
      if (begins && !ends && piece.length < longestStart) {
        // Kept beyond this call, when the caller may have other use for its array.
        this.#start = piece.slice();
        continue;
      }
      this.#start = new Uint8Array(0);
      this.#isWithin = !ends;
      yield { octets: piece, begins, ends };
    }
  }

  /** The start of a line that never ended. */
  *end(): Generator<LinePiece, void, undefined> {
    if (this.#start.length > 0) yield { octets: this.#start, begins: true, ends: false };
  }
}

/** Line ends as they will travel: a CR, with or without a LF behind it, ends a line for the next host. Gives LF for each. */
export class PlainLineEnds {
  #afterCr = false;

  push(octets: Uint8Array): Uint8Array {
    if (octets.length === 0 || (!this.#afterCr && !octets.includes(CR))) return octets;
    const out = new Uint8Array(octets.length);
    let length = 0;
    for (const octet of octets) {
      if (octet !== LF || !this.#afterCr) out[length++] = octet === CR ? LF : octet;
      this.#afterCr = octet === CR;
    }
    return out.subarray(0, length);
  }
}
