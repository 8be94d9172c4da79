/**
 * Memory in which frames wait to be written. It is used again and again: fresh memory for each frame would be cleared before
 * and collected after it, which cost more than all copying does.
 * @module
 */
import { type Body, bodyLength, putFrame } from "./frame.ts";

/** What leaves in one system call at the most: a small message with its envelope. */
export const batchBytes = 160 * 1024;
const firstBytes = 4096;

export class Batch {
  #memory: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #used = 0;

  /** What is in it; the memory is the batch's. */
  get octets(): Uint8Array<ArrayBuffer> {
    return this.#memory.subarray(0, this.#used);
  }

  get isEmpty(): boolean {
    return this.#used === 0;
  }

  clear(): void {
    this.#used = 0;
  }

  /** Puts a frame in, and answers its octets; undefined where it might have no room. */
  addFrame(text: string, body: Body): number | undefined {
    // No char takes more than three octets of UTF-8.
    if (!this.#makeRoom(3 * text.length + bodyLength(body))) return undefined;
    const before = this.#used;
    this.#used = putFrame(this.#memory, before, text, body);
    return this.#used - before;
  }

  /** Puts octets in, where they have room. */
  add(octets: Uint8Array): boolean {
    if (!this.#makeRoom(octets.length)) return false;
    this.#memory.set(octets, this.#used);
    this.#used += octets.length;
    return true;
  }

  #makeRoom(bytes: number): boolean {
    const wanted = this.#used + bytes + 8;
    if (wanted > batchBytes) return false;
    if (wanted <= this.#memory.length) return true;
    const larger = new Uint8Array(Math.min(Math.max(wanted, 2 * this.#memory.length, firstBytes), batchBytes));
    larger.set(this.octets);
    this.#memory = larger;
    return true;
  }
}
