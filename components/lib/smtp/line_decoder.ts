/**
 * Content in chunks of known length (BDAT, RFC 3030): as in DATA, lines end in CRLF on the wire and in LF in the queue, and
 * a bare CR or LF is a defect; there are no dots to look at, and nothing in the content ends it.
 * @module
 */
import type { Decoded, Defect } from "./dot_stuffing.ts";

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const EMPTY = new Uint8Array(0);

/** One message's decoder; where its content is cut, into chunks or by the network, does not matter. */
export class LineDecoder {
  readonly #nulIsFine: boolean;
  #afterCr = false;
  #defect: Defect | undefined;

  /** `binary`: NUL may stand in it (BODY=BINARYMIME). */
  constructor({ binary = false }: { readonly binary?: boolean } = {}) {
    this.#nulIsFine = binary;
  }

  /** The first defect so far. */
  get defect(): Defect | undefined {
    return this.#defect;
  }

  /** Decodes the next octets. */
  push(chunk: Uint8Array): Decoded {
    const end = chunk.length;
    const output = new Uint8Array(end); // never more: a CR gives nothing, or is a defect
    let length = 0;
    let afterCr = this.#afterCr;
    for (let at = 0; at < end;) {
      let octet = chunk[at]!;
      if (afterCr) {
        afterCr = false;
        if (octet === LF) {
          output[length++] = LF;
          at++;
          continue;
        }
        this.#defect ??= "bare CR";
      }
      while (octet > CR) {
        output[length++] = octet;
        if (++at === end) break;
        octet = chunk[at]!;
      }
      if (at === end) break;
      at++;
      if (octet === CR) afterCr = true;
      else if (octet === LF) this.#defect ??= "bare LF";
      else if (octet === NUL && !this.#nulIsFine) this.#defect ??= "NUL";
      else output[length++] = octet;
    }
    this.#afterCr = afterCr;
    return { output: output.subarray(0, length), done: false, rest: EMPTY };
  }

  /** No more will come: a CR that waited for its LF was a bare one. */
  end(): void {
    if (this.#afterCr) this.#defect ??= "bare CR";
  }
}
