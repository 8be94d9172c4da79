/**
 * What may happen so often in so long a time: a bucket that fills steadily, and out of which each event takes one.
 * @module
 */
import type { Rate } from "../lib/shaping/shaping_file.ts";

export class Bucket {
  readonly #perMs: number;
  /** As much as can happen at once after a pause. */
  readonly #most: number;
  #level: number;
  #atMs: number;
  /** Until here turns have been given away to what waits elsewhere. */
  #reservedMs = 0;

  /** `burstSeconds`: what it gathers in so long a time is the most it holds; it begins full. */
  constructor({ count, perSeconds }: Rate, burstSeconds: number, nowMs: number) {
    this.#perMs = count / (perSeconds * 1000);
    this.#most = Math.max(1, this.#perMs * burstSeconds * 1000);
    this.#level = this.#most;
    this.#atMs = nowMs;
  }

  /** Events of a time. */
  within(ms: number): number {
    return this.#perMs * ms;
  }

  /** Takes one, which has to be there. */
  take(nowMs: number): void {
    this.#fill(nowMs);
    this.#level--;
  }

  /** Puts one back that was not used. */
  putBack(): void {
    this.#level = Math.min(this.#most, this.#level + 1);
  }

  /** When there is one to take: now, or later. */
  readyAtMs(nowMs: number): number {
    this.#fill(nowMs);
    // What is missing by rounding is there.
    return this.#level > 1 - 1e-9 ? nowMs : Math.ceil(nowMs + (1 - this.#level) / this.#perMs);
  }

  /** A turn for one that comes back later: `leastMs` from now at the earliest, `mostMs` at the latest. */
  reserve(nowMs: number, leastMs: number, mostMs: number): number {
    const latest = nowMs + mostMs;
    const at = Math.min(Math.max(nowMs + leastMs, this.#reservedMs), latest);
    this.#reservedMs = Math.min(at + 1 / this.#perMs, latest);
    return Math.ceil(at);
  }

  /** A clock that was set back fills nothing, and takes nothing away. */
  #fill(nowMs: number): void {
    if (nowMs > this.#atMs) this.#level = Math.min(this.#most, this.#level + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
  }
}
