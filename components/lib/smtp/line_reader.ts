/**
 * Splits what a peer sends into lines (RFC 5321 §2.3.8, §4.5.3.1.4), for commands and for replies. Chunks of any size go
 * in; where they are cut does not matter. A line ends at LF and one CR before it is dropped, so a bare LF ends a line
 * too, as in qmail; that leniency is for lines only, never for DATA. Every octet is looked at once, and besides the
 * chunks not yet read one line is held, at most.
 * @module
 */

/**
 * One line, as an octet string without its line end. `too long` comes once, as soon as the limit is passed; `start` is
 * as much of the line as a good line could have had, and the remainder is dropped through the next LF.
 */
export type Line =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "too long"; readonly start: string };

/** Octets of the longest line unless another limit is given, CRLF included: eight times the 512 of RFC 5321, for long paths and parameters. */
export const MAX_LINE = 4096;

const LF = 0x0a;
const CR = 0x0d;
const EMPTY = new Uint8Array(0);

/**
 * Line splitter for one connection.
 *
 * @example
 * ```ts
 * import { LineReader } from "./line_reader.ts";
 * const reader = new LineReader();
 * reader.push(new TextEncoder().encode("DATA\r\nSubject: hi\r\n"));
 * reader.takeLine(); // { kind: "line", text: "DATA" }
 * reader.rest(); // the octets of "Subject: hi\r\n", now for the DATA decoder
 * ```
 */
export class LineReader {
  #chunks: Uint8Array[] = [];
  #current = 0; // index into #chunks
  #at = 0; // index into the current chunk
  #partial: Uint8Array | undefined; // for a line's octets from chunks already used up
  #partialLength = 0;
  #skipping = false; // inside a line that was too long

  /** Hands over octets from the peer; the reader keeps `chunk`, so the caller must not reuse its buffer. */
  push(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#chunks.push(chunk);
  }

  /** Whether every octet has been taken. */
  get isEmpty(): boolean {
    return this.#partialLength === 0 && this.#chunks[this.#current] === undefined;
  }

  /**
   * The next line, of at most `longest` octets; undefined when more octets are needed. Push only then, and memory stays
   * bounded.
   */
  takeLine(longest: number = MAX_LINE): Line | undefined {
    for (let chunk = this.#chunks[this.#current]; chunk !== undefined; chunk = this.#chunks[this.#current]) {
      const from = this.#at;
      const lf = chunk.indexOf(LF, from);
      const end = lf < 0 ? chunk.length : lf + 1;
      this.#consumeTo(chunk, end);
      if (this.#skipping) {
        this.#skipping = lf < 0;
        continue;
      }
      const length = this.#partialLength + end - from;
      if (length > longest) {
        this.#keep(chunk.subarray(from, from + longest - this.#partialLength));
        this.#skipping = lf < 0;
        return { kind: "too long", start: this.#takePartial(longest - 2) };
      }
      if (lf >= 0 && this.#partialLength === 0) return { kind: "line", text: lineText(chunk, from, end) };
      this.#keep(chunk.subarray(from, end));
      if (lf >= 0) return { kind: "line", text: this.#takePartial(length) };
    }
    return undefined;
  }

  /** Takes over every octet not yet returned in a line, the start of an unfinished one included; the reader is empty. */
  rest(): Uint8Array {
    const first = this.#chunks[this.#current]?.subarray(this.#at);
    const later = this.#chunks.slice(this.#current + 1);
    const begun = this.#partial?.slice(0, this.#partialLength) ?? EMPTY;
    const pieces = [begun, ...(first === undefined ? [] : [first]), ...later];
    this.#chunks = [];
    this.#current = this.#at = this.#partialLength = 0;
    this.#skipping = false;
    return concat(pieces.filter((piece) => piece.length > 0));
  }

  #consumeTo(chunk: Uint8Array, end: number): void {
    this.#at = end;
    if (end < chunk.length) return;
    this.#at = 0;
    if (++this.#current < this.#chunks.length) return;
    this.#chunks = [];
    this.#current = 0;
  }

  #keep(octets: Uint8Array): void {
    const length = this.#partialLength + octets.length;
    if (this.#partial === undefined || this.#partial.length < length) {
      const larger = new Uint8Array(length <= MAX_LINE ? MAX_LINE : 4 * MAX_LINE);
      if (this.#partialLength > 0) larger.set(this.#partial!.subarray(0, this.#partialLength));
      this.#partial = larger;
    }
    this.#partial.set(octets, this.#partialLength);
    this.#partialLength += octets.length;
  }

  #takePartial(length: number): string {
    this.#partialLength = 0;
    return lineText(this.#partial?.subarray(0, length) ?? EMPTY);
  }
}

/** Octets to octet string, line end removed. Not a `TextDecoder`: its "latin1" is windows-1252, which moves 0x80..0x9F. */
function lineText(octets: Uint8Array, from = 0, to = octets.length): string {
  let end = to;
  if (end > from && octets[end - 1] === LF) {
    end--;
    if (end > from && octets[end - 1] === CR) end--;
  }
  // At most MAX_LINE arguments. apply() takes a typed array as it is, and is six times as fast as spreading it.
  return String.fromCharCode.apply(null, octets.subarray(from, end) as unknown as number[]);
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1 && pieces[0] !== undefined) return pieces[0];
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
