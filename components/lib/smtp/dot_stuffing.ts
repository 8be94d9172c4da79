/**
 * Dot-stuffing of message content in DATA (RFC 5321 §4.5.2), both directions: lines end in CRLF on the wire and in LF in
 * the queue. Chunks of any size; where they are cut does not matter. The loops are the server's hot path: one pass over
 * the octets, in place or with one allocation per chunk, tight inner loops for what is neither CR nor LF.
 *
 * Incoming content ends only at CRLF "." CRLF. A bare CR, bare LF or NUL is reported at that end, not sooner, so the
 * dialogue stays in step and no smuggled message can begin.
 * @module
 */

/** What made the content unacceptable; the first one found is reported. */
export type Defect = "bare CR" | "bare LF" | "NUL";

/** What one chunk gave. */
export interface Decoded {
  /** Content with LF line ends and stuffed dots removed; in the chunk's memory, or in some of its own. */
  readonly output: Uint8Array;
  /** Whether the end of the content has been seen. */
  readonly done: boolean;
  /** What stands behind the end: commands, once the reply to DATA is sent. Empty until `done`. A view of the chunk. */
  readonly rest: Uint8Array;
}

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;
const EMPTY = new Uint8Array(0);

// Where the decoder stands.
const LINE_START = 0; // at the beginning, or behind CRLF
const IN_LINE = 1;
const AFTER_CR = 2; // a CR not yet put out
const AFTER_DOT = 3; // a dot at the start of a line, not yet put out
const AFTER_DOT_CR = 4;
const DONE = 5;

/**
 * Copies octets above CR, as nearly all are, four at a time, and answers how many: up to one that is not, or the last ones.
 * Within the same memory it may copy towards its beginning.
 */
function copyPlain(from: DataView, at: number, to: DataView, length: number): number {
  let count = 0;
  for (const most = from.byteLength - at - 4; count <= most; count += 4) {
    const four = from.getInt32(at + count);
    // Not 0 exactly where an octet is below 14: a borrow begins at such a one, so it can only add bits beside it.
    if (((four - 0x0e0e0e0e) & ~four & 0x80808080) !== 0) break;
    to.setInt32(length + count, four);
  }
  return count;
}

/**
 * Server side of DATA. Look at `defect` once `done`: if there is one, refuse the message, for its content is then put
 * out without the octets that made the defect.
 *
 * Unlike qmail: a bare LF does not close the connection, it fails the one message; a bare CR and NUL do so too.
 *
 * @example
 * ```ts
 * import { DotDecoder } from "./dot_stuffing.ts";
 * const decoder = new DotDecoder();
 * const { output, done, rest } = decoder.push(new TextEncoder().encode("..a\r\n.\r\nQUIT\r\n"));
 * // output is ".a\n", done is true, rest is "QUIT\r\n", decoder.defect is undefined
 * ```
 */
export class DotDecoder {
  #state = LINE_START;
  #defect: Defect | undefined;

  /** The first defect so far. */
  get defect(): Defect | undefined {
    return this.#defect;
  }

  /**
   * Decodes the next chunk, whose memory is the decoder's from now on: `output` takes its place. Behind the end there is
   * nothing to decode: all of the chunk comes back as `rest`.
   */
  push(chunk: Uint8Array): Decoded {
    let state = this.#state;
    if (state === DONE) return { output: EMPTY, done: true, rest: chunk };
    const end = chunk.length;
    // Never ahead of what is read: CRLF gives LF, and a dot or CR held back gives nothing.
    const output = chunk;
    const view = new DataView(chunk.buffer, chunk.byteOffset, end);
    let length = 0;
    let at = 0;
    let copied = 0;
    decode: while (at < end) {
      let octet = chunk[at]!;
      switch (state) {
        case IN_LINE:
          // Nearly every octet is above CR and copied by these loops; what is not needs a closer look.
          copied = copyPlain(view, at, view, length);
          at += copied;
          length += copied;
          if (at === end) break decode;
          octet = chunk[at]!;
          while (octet > CR) {
            output[length++] = octet;
            if (++at === end) break decode;
            octet = chunk[at]!;
          }
          at++;
          if (octet === CR) state = AFTER_CR;
          else if (octet === LF) this.#defect ??= "bare LF";
          else if (octet === NUL) this.#defect ??= "NUL";
          else output[length++] = octet;
          break;
        case AFTER_CR:
          if (octet === LF) {
            output[length++] = LF;
            state = LINE_START;
            at++;
          } else {
            this.#defect ??= "bare CR";
            state = IN_LINE;
          }
          break;
        case LINE_START:
          state = octet === DOT ? AFTER_DOT : IN_LINE;
          if (octet === DOT) at++;
          break;
        case AFTER_DOT:
          state = octet === CR ? AFTER_DOT_CR : IN_LINE;
          if (octet === CR) at++;
          break;
        default: // AFTER_DOT_CR
          if (octet === LF) {
            this.#state = DONE;
            return { output: output.subarray(0, length), done: true, rest: chunk.subarray(at + 1) };
          }
          this.#defect ??= "bare CR";
          state = IN_LINE;
      }
    }
    this.#state = state;
    return { output: output.subarray(0, length), done: false, rest: EMPTY };
  }
}

/**
 * Client side of DATA. LF becomes CRLF, a CR LF pair stays one CRLF, a bare CR becomes CRLF as in netqmail, so none of
 * the three can hide an end of content from us that the next host would see.
 *
 * @example
 * ```ts
 * import { DotEncoder } from "./dot_stuffing.ts";
 * const encoder = new DotEncoder();
 * encoder.push(new TextEncoder().encode(".a\nb")); // "..a\r\nb"
 * encoder.end(); // "\r\n.\r\n"
 * ```
 */
export class DotEncoder {
  #atLineStart = true;
  #afterCr = false; // the CR's CRLF is already out

  /** Encodes the next chunk into a buffer of its own, at most twice as long. */
  push(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
    const end = chunk.length;
    const output = new Uint8Array(2 * end);
    const from = new DataView(chunk.buffer, chunk.byteOffset, end);
    const to = new DataView(output.buffer);
    let length = 0;
    let atLineStart = this.#atLineStart;
    let afterCr = this.#afterCr;
    let at = 0;
    encode: while (at < end) {
      let octet = chunk[at]!;
      if (atLineStart) {
        if (afterCr && octet === LF) {
          afterCr = false;
          at++;
          continue;
        }
        afterCr = false;
        if (octet === DOT) output[length++] = DOT;
        atLineStart = false;
      }
      const copied = copyPlain(from, at, to, length);
      at += copied;
      length += copied;
      if (at === end) break;
      octet = chunk[at]!;
      while (octet > CR) {
        output[length++] = octet;
        if (++at === end) break encode;
        octet = chunk[at]!;
      }
      at++;
      if (octet === LF || octet === CR) {
        output[length++] = CR;
        output[length++] = LF;
        atLineStart = true;
        afterCr = octet === CR;
      } else {
        output[length++] = octet;
      }
    }
    this.#atLineStart = atLineStart;
    this.#afterCr = afterCr;
    return output.subarray(0, length);
  }

  /** The last octets: the line end where the content lacks it, then the lone dot. Nothing may be pushed afterwards. */
  end(): Uint8Array<ArrayBuffer> {
    const end = new Uint8Array([CR, LF, DOT, CR, LF]);
    return this.#atLineStart ? end.subarray(2) : end;
  }
}

/** Encodes content that is in memory as a whole, lone dot at the end included. */
export function encodeDots(content: Uint8Array): Uint8Array<ArrayBuffer> {
  const encoder = new DotEncoder();
  const body = encoder.push(content);
  const end = encoder.end();
  const output = new Uint8Array(body.length + end.length);
  output.set(body);
  output.set(end, body.length);
  return output;
}
