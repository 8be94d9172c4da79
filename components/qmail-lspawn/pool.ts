/**
 * Which qmail-local processes there are: one per user id, begun when first needed, ended when idle, never more than a
 * cap. Decides only; the shell starts and ends them.
 * @module
 */

export interface Worker {
  /** Deliveries under way. */
  readonly deliveries: number;
  readonly closed: boolean;
}

/** Processes at the most: each costs some ten megabytes. */
export const mostWorkers = 40;
/** How long one may stand idle. */
export const idleMs = 60_000;

interface Slot<W> {
  readonly worker: W;
  lastUsedMs: number;
}

export class Pool<W extends Worker> {
  readonly #slots = new Map<string, Slot<W>>();

  /** The process for `key`, started by `start` where there is none; `undefined` when all are busy with others. */
  take(key: string, nowMs: number, start: () => W, end: (worker: W) => void): W | undefined {
    const slot = this.#slots.get(key);
    if (slot !== undefined && !slot.worker.closed) {
      slot.lastUsedMs = nowMs;
      return slot.worker;
    }
    this.#slots.delete(key);
    if (this.#slots.size >= mostWorkers && !this.#endOldestIdle(end)) return undefined;
    const worker = start();
    this.#slots.set(key, { worker, lastUsedMs: nowMs });
    return worker;
  }

  /** Ends those that have been idle for too long. */
  endIdle(nowMs: number, end: (worker: W) => void): void {
    for (const [key, slot] of this.#slots) {
      if (slot.worker.deliveries > 0) slot.lastUsedMs = nowMs;
      else if (slot.worker.closed || nowMs - slot.lastUsedMs >= idleMs) this.#end(key, slot, end);
    }
  }

  endAll(end: (worker: W) => void): void {
    for (const [key, slot] of this.#slots) this.#end(key, slot, end);
  }

  #endOldestIdle(end: (worker: W) => void): boolean {
    const idle = [...this.#slots].filter(([, slot]) => slot.worker.deliveries === 0);
    const oldest = idle.sort(([, a], [, b]) => a.lastUsedMs - b.lastUsedMs)[0];
    if (oldest === undefined) return false;
    this.#end(oldest[0], oldest[1], end);
    return true;
  }

  #end(key: string, slot: Slot<W>, end: (worker: W) => void): void {
    this.#slots.delete(key);
    end(slot.worker);
  }
}
