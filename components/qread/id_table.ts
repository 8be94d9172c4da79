/**
 * Which slot a message's number has: a hash table in two typed arrays (open addressing, linear probing), for a Map of a
 * million numbers takes three times as much.
 * @module
 */

const leastCapacity = 1024;

export class IdTable {
  /** 0 where there is none: no message has that number. */
  #ids = new Float64Array(leastCapacity);
  #slots = new Uint32Array(leastCapacity);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Octets it takes. */
  get bytes(): number {
    return this.#ids.byteLength + this.#slots.byteLength;
  }

  get(id: number): number | undefined {
    const at = this.#find(id);
    return id !== 0 && this.#ids[at] === id ? this.#slots[at] : undefined;
  }

  /** `id` is at least 1. */
  set(id: number, slot: number): void {
    let at = this.#find(id);
    if (this.#ids[at] !== id) {
      if ((this.#size + 1) * 3 > this.#ids.length * 2) {
        this.#grow();
        at = this.#find(id);
      }
      this.#size++;
      this.#ids[at] = id;
    }
    this.#slots[at] = slot;
  }

  delete(id: number): void {
    const ids = this.#ids;
    const mask = ids.length - 1;
    let hole = this.#find(id);
    if (id === 0 || ids[hole] !== id) return;
    this.#size--;
    // Those behind it that would not be found over the hole move up.
    for (let at = (hole + 1) & mask; ids[at] !== 0; at = (at + 1) & mask) {
      const home = hashOf(ids[at]!) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      ids[hole] = ids[at]!;
      this.#slots[hole] = this.#slots[at]!;
      hole = at;
    }
    ids[hole] = 0;
  }

  /** Where it is, or the free place for it. */
  #find(id: number): number {
    const ids = this.#ids;
    const mask = ids.length - 1;
    let at = hashOf(id) & mask;
    while (ids[at] !== id && ids[at] !== 0) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const [ids, slots] = [this.#ids, this.#slots];
    this.#ids = new Float64Array(ids.length * 2);
    this.#slots = new Uint32Array(ids.length * 2);
    for (let at = 0; at < ids.length; at++) {
      if (ids[at] === 0) continue;
      const place = this.#find(ids[at]!);
      this.#ids[place] = ids[at]!;
      this.#slots[place] = slots[at]!;
    }
  }
}

/** Inodes of one folder lie side by side: their low bits alone would do, but for numbers of other origin. */
function hashOf(id: number): number {
  const mixed = Math.imul((id >>> 0) ^ Math.imul((id / 2 ** 32) >>> 0, 0x9e3779b1), 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
