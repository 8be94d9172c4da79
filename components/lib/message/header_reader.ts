/**
 * Splits a message that a program hands in into header fields and body, as qmail-inject does: the header ends at an empty
 * line, or at a line that cannot be part of one, which begins the body then. Only the header is kept.
 * @module
 */
import { fromOctets } from "../octets.ts";

/**
 * Octets of a header at the most. Unlike qmail, which has no limit: the header is held in memory. With the queue's own
 * limit of an envelope there is no use for a longer one.
 */
export const longestHeader = 4 * 1024 * 1024;

/** A whole header, and where the body begins. */
export interface ReadHeader {
  /** Each with its continuation lines, and a line end (LF). */
  readonly fields: readonly string[];
  /** Whether an empty line comes between the fields and `rest`: there is none where the input ended with the header. */
  readonly hasBody: boolean;
  /** First octets of the body. */
  readonly rest: Uint8Array;
  /** Whether the first line ended in CRLF. */
  readonly crlf: boolean;
}

/** Octets of the header are missing, it is whole, or it is longer than {@link longestHeader}. */
export type HeaderState =
  | { readonly kind: "more" }
  | { readonly kind: "whole"; readonly header: ReadHeader }
  | { readonly kind: "too long" };

const more: HeaderState = { kind: "more" };
const lf = 0x0a;
const mbox = /^From /;
/** The two classes have nothing in common, so that this takes one pass. */
const fieldStart = /^[!-9;-~]+[ \t]*:/;
const fieldStartInPart = /^[!-9;-~]*[ \t]*(:|$)/;
const continuation = /^[ \t]/;

/** Takes the message in pieces of any size, until it answers "whole" or "too long". */
export class HeaderReader {
  #buffer = new Uint8Array(16 * 1024);
  #length = 0;
  /** Start of the first line that is not taken yet, and from where on its end has not been looked for. */
  #line = 0;
  #searched = 0;
  readonly #fields: string[] = [];
  /** Lines of the field at hand. */
  #lines: string[] = [];
  #crlf: boolean | undefined;

  push(piece: Uint8Array): HeaderState {
    this.#append(piece);
    for (;;) {
      const end = this.#buffer.subarray(0, this.#length).indexOf(lf, this.#searched);
      if (end < 0) break;
      const start = this.#line;
      const text = fromOctets(this.#buffer.subarray(start, end));
      this.#line = this.#searched = end + 1;
      const isHeader = this.#takeLine(text);
      if (isHeader === false) return this.#whole(true, text === "" || text === "\r" ? end + 1 : start);
      if (end > longestHeader) return { kind: "too long" };
    }
    this.#searched = this.#length;
    if (this.#length <= longestHeader) return more;
    const part = fromOctets(this.#buffer.subarray(this.#line, this.#line + 5000));
    if (fieldStartInPart.test(part) || mbox.test(part) || (continuation.test(part) && this.#lines.length > 0)) {
      return { kind: "too long" };
    }
    // One long line, and no field: body.
    return this.#whole(true, this.#line);
  }

  /** The header of a message that ended before its header did. */
  end(): ReadHeader {
    const start = this.#line;
    if (start < this.#length && !this.#takeLine(fromOctets(this.#buffer.subarray(start, this.#length)))) {
      return this.#header(true, start);
    }
    return this.#header(false, this.#length);
  }

  #append(piece: Uint8Array): void {
    if (this.#length + piece.length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + piece.length));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(piece, this.#length);
    this.#length += piece.length;
  }

  /** Takes a line without its LF; false where the header has ended before it. */
  #takeLine(text: string): boolean {
    this.#crlf ??= text.endsWith("\r");
    // Unlike qmail: a CR before the LF is part of the line end. Programs do hand in CRLF.
    const line = text.endsWith("\r") ? text.slice(0, -1) : text;
    if (line === "") return false;
    if (this.#lines.length > 0 && continuation.test(line)) this.#lines.push(line, "\n");
    else if (mbox.test(line)) this.#begin(`MBOX-Line: ${line}`);
    else if (fieldStart.test(line)) this.#begin(line);
    else return false;
    return true;
  }

  #begin(line: string): void {
    this.#flush();
    this.#lines = [line, "\n"];
  }

  #flush(): void {
    if (this.#lines.length > 0) this.#fields.push(this.#lines.join(""));
    this.#lines = [];
  }

  #whole(hasBody: boolean, bodyStart: number): HeaderState {
    return { kind: "whole", header: this.#header(hasBody, bodyStart) };
  }

  #header(hasBody: boolean, bodyStart: number): ReadHeader {
    this.#flush();
    const rest = this.#buffer.subarray(bodyStart, this.#length);
    return { fields: this.#fields, hasBody, rest, crlf: this.#crlf ?? false };
  }
}
