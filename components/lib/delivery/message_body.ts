/**
 * A message in the hands of a process that delivers it: known size, the first piece at hand, the rest fetched from the
 * spawner as it is needed. May be gone through several times (another MX, another instruction).
 * @module
 */

/** Fetches the piece that begins at `offset`; rejects when the spawner is gone. */
export type FetchPiece = (offset: number) => Promise<Uint8Array>;

export class MessageBody {
  readonly sizeBytes: number;
  readonly #first: Uint8Array;
  readonly #fetch: FetchPiece;

  constructor(sizeBytes: number, first: Uint8Array, fetch: FetchPiece) {
    this.sizeBytes = sizeBytes;
    this.#first = first;
    this.#fetch = fetch;
  }

  /** The first octets, often the whole message (up to 128 KiB). */
  get first(): Uint8Array {
    return this.#first;
  }

  /** All pieces in order. */
  async *pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    yield this.#first;
    for (let offset = this.#first.length; offset < this.sizeBytes;) {
      const piece = await this.#fetch(offset);
      if (piece.length === 0) throw new Error("the message ended early");
      offset += piece.length;
      yield piece;
    }
  }
}
