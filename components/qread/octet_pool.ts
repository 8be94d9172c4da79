/**
 * Many short octet strings in few large pieces of memory. Whoever puts one in keeps its place and its length, and says
 * when it is not needed any more; a piece in which nothing is needed is used again.
 * @module
 */

/** A place is the number of a chunk and an offset in it. */
const chunkBits = 22;
export const chunkBytes = 2 ** chunkBits;
const offsetMask = chunkBytes - 1;

export class OctetPool {
  readonly #chunks: (Uint8Array | undefined)[] = [];
  /** Octets that are needed, by chunk. */
  readonly #live: number[] = [];
  readonly #free: number[] = [];
  #current = -1;
  #end = chunkBytes;
  #liveBytes = 0;

  /** Octets that are needed. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** Octets of memory it takes. */
  get bytes(): number {
    return (this.#chunks.length - this.#free.length) * chunkBytes;
  }

  /** `octets` is an octet string shorter than a chunk. Answers its place. */
  add(octets: string): number {
    const at = this.#reserve(octets.length);
    const chunk = this.#chunks[this.#current]!;
    for (let from = 0; from < octets.length; from++) chunk[at + from] = octets.charCodeAt(from);
    return this.#current * chunkBytes + at;
  }

  /** The chunk that a place is in; valid until something is added or moved. */
  chunkOf(place: number): Uint8Array {
    return this.#chunks[place >>> chunkBits]!;
  }

  /** The chunks there are, by their numbers. */
  *chunks(): Generator<readonly [number: number, chunk: Uint8Array], void, undefined> {
    for (const [at, chunk] of this.#chunks.entries()) if (chunk !== undefined) yield [at, chunk];
  }

  /** The number of the chunk that a place is in. */
  numberOf(place: number): number {
    return place >>> chunkBits;
  }

  /** Where in its chunk a place is. */
  offsetOf(place: number): number {
    return place & offsetMask;
  }

  remove(place: number, length: number): void {
    const chunk = place >>> chunkBits;
    this.#liveBytes -= length;
    this.#live[chunk] = this.#live[chunk]! - length;
    if (this.#live[chunk] === 0 && chunk !== this.#current) {
      this.#chunks[chunk] = undefined;
      this.#free.push(chunk);
    }
  }

  /** Chunks of which more than half is not needed, but for the one that is being filled; by number. */
  sparse(): ReadonlySet<number> {
    const sparse = new Set<number>();
    this.#chunks.forEach((chunk, at) => {
      if (chunk !== undefined && at !== this.#current && this.#live[at]! < chunkBytes / 2) sparse.add(at);
    });
    return sparse;
  }

  isIn(place: number, chunks: ReadonlySet<number>): boolean {
    return chunks.has(place >>> chunkBits);
  }

  /** Puts what is at a place elsewhere; answers where. */
  move(place: number, length: number): number {
    const from = this.chunkOf(place);
    const at = this.offsetOf(place);
    const to = this.#reserve(length);
    this.#chunks[this.#current]!.set(from.subarray(at, at + length), to);
    const moved = this.#current * chunkBytes + to;
    this.remove(place, length);
    return moved;
  }

  /** Room in the current chunk; answers where it begins there. */
  #reserve(length: number): number {
    if (this.#current < 0 || this.#end + length > chunkBytes) this.#next();
    const at = this.#end;
    this.#end += length;
    this.#liveBytes += length;
    this.#live[this.#current] = this.#live[this.#current]! + length;
    return at;
  }

  #next(): void {
    const full = this.#current;
    this.#current = this.#free.pop() ?? this.#chunks.length;
    this.#chunks[this.#current] = new Uint8Array(chunkBytes);
    this.#live[this.#current] = 0;
    this.#end = 0;
    if (full >= 0 && this.#live[full] === 0) {
      this.#chunks[full] = undefined;
      this.#free.push(full);
    }
  }
}
