/**
 * Lines of the queue, which end in LF, as binary content travels (RFC 3030): with CRLF, and nothing else changed.
 * @module
 */

const [LF, CR] = [0x0a, 0x0d];

/** Takes content in pieces of any size; where they are cut does not matter. */
export class CrlfEncoder {
  #last = 0;

  /** A buffer of its own, at most twice as long. A CR LF of the content stays one. */
  push(piece: Uint8Array): Uint8Array {
    const output = new Uint8Array(2 * piece.length);
    let length = 0;
    let last = this.#last;
    for (const octet of piece) {
      if (octet === LF && last !== CR) output[length++] = CR;
      output[length++] = octet;
      last = octet;
    }
    this.#last = last;
    return output.subarray(0, length);
  }
}
