/**
 * Collects octets that are to go on together.
 * @module
 */
const firstBytes = 512;

export class OctetSink {
  #octets = new Uint8Array(firstBytes);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  octet(octet: number): void {
    if (this.#length === this.#octets.length) this.#grow(1);
    this.#octets[this.#length++] = octet;
  }

  add(octets: Uint8Array): void {
    if (this.#length + octets.length > this.#octets.length) this.#grow(octets.length);
    this.#octets.set(octets, this.#length);
    this.#length += octets.length;
  }

  /** All that was collected, in an array of its own; the sink is empty then. */
  take(): Uint8Array {
    const octets = this.#octets.slice(0, this.#length);
    this.#length = 0;
    return octets;
  }

  #grow(count: number): void {
    const larger = new Uint8Array(Math.max(2 * this.#octets.length, this.#length + count));
    larger.set(this.#octets.subarray(0, this.#length));
    this.#octets = larger;
  }
}
