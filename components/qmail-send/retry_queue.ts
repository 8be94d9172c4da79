/**
 * Messages that wait for their next attempt, earliest first: a binary heap on the time.
 * @module
 */
import type { Channel } from "../lib/queue/layout.ts";

export interface Retry {
  readonly atSeconds: number;
  readonly id: number;
  readonly channel: Channel;
}

export class RetryQueue {
  #heap: Retry[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest time, or undefined when nothing waits. */
  get earliest(): number | undefined {
    return this.#heap[0]?.atSeconds;
  }

  add(retry: Retry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(retry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.atSeconds <= retry.atSeconds) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = retry;
  }

  /** Takes the earliest one when its time has come. */
  takeDue(nowSeconds: number): Retry | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.atSeconds > nowSeconds) return undefined;
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) this.#sink(last);
    return first;
  }

  /** Makes everything due at `nowSeconds` (SIGALRM). */
  allDue(nowSeconds: number): void {
    this.#heap = this.#heap.map((retry) => ({ ...retry, atSeconds: Math.min(retry.atSeconds, nowSeconds) }));
    // Equal or earlier times: sorting is a valid heap.
    this.#heap.sort((a, b) => a.atSeconds - b.atSeconds);
  }

  #sink(retry: Retry): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.atSeconds < heap[child]!.atSeconds) child++;
      if (heap[child]!.atSeconds >= retry.atSeconds) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = retry;
  }
}
