/**
 * A body's line ends as the queue has them: LF, also behind the last line.
 * @module
 */

const [lf, cr] = [0x0a, 0x0d];
const lineEnd = new Uint8Array([lf]);

/** Takes a body in pieces of any size. `crlf`: a CR before a LF goes; any other octet stays what it is. */
export class LineEnds {
  readonly #crlf: boolean;
  #last = lf;
  /** A CR at a piece's end, whose fate the next octet decides. */
  #heldCr = false;

  constructor(crlf: boolean) {
    this.#crlf = crlf;
  }

  push(piece: Uint8Array): Uint8Array {
    if (piece.length === 0) return piece;
    if (!this.#crlf) {
      this.#last = piece.at(-1)!;
      return piece;
    }
    const out = new Uint8Array(piece.length + 1);
    let length = 0;
    for (const octet of piece) {
      if (this.#heldCr && octet !== lf) out[length++] = cr;
      this.#heldCr = octet === cr;
      if (!this.#heldCr) out[length++] = octet;
    }
    if (length > 0) this.#last = out[length - 1]!;
    return out.subarray(0, length);
  }

  /** The octet held back, if there is one: for content that may end within a line. */
  rest(): Uint8Array {
    return this.#heldCr ? new Uint8Array([cr]) : new Uint8Array();
  }

  /** What is missing at the end. */
  end(): Uint8Array {
    if (this.#heldCr) return new Uint8Array([cr, lf]);
    return this.#last === lf ? new Uint8Array() : lineEnd;
  }
}
