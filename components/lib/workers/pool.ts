/**
 * Which processes of users there are: one per user id and kind, begun when first needed, ended when idle, of those
 * for accounts never more than a cap. Decides only; the shell starts and ends them.
 * @module
 */

export interface Worker {
  /** Deliveries, or sessions, under way. */
  readonly underWay: number;
  readonly closed: boolean;
}

/** Processes for accounts at the most: each costs some ten megabytes. */
export const mostWorkers = 40;
/** How long one may stand idle. */
export const idleMs = 60_000;

interface Slot<W> {
  readonly worker: W;
  readonly isCounted: boolean;
  lastUsedMs: number;
}

export interface TakeOptions {
  /** Outside the cap: the few that virtual mailboxes have need never wait for accounts. */
  readonly isFree?: boolean;
}

export class Pool<W extends Worker> {
  readonly #slots = new Map<string, Slot<W>>();

  /** Whether there is a process for `key`. */
  has(key: string): boolean {
    return this.#slots.get(key)?.worker.closed === false;
  }

  /** The process for `key`, started by `start` where there is none; `undefined` when all are busy with others. */
  take(
    key: string,
    nowMs: number,
    start: () => W,
    end: (worker: W) => void,
    { isFree = false }: TakeOptions = {},
  ): W | undefined {
    const slot = this.#slots.get(key);
    if (slot !== undefined && !slot.worker.closed) {
      slot.lastUsedMs = nowMs;
      return slot.worker;
    }
    this.#slots.delete(key);
    if (!isFree && this.#counted().length >= mostWorkers && !this.#endOldestIdle(end)) return undefined;
    const worker = start();
    this.#slots.set(key, { worker, isCounted: !isFree, lastUsedMs: nowMs });
    return worker;
  }

  /** Ends those that have been idle for too long. */
  endIdle(nowMs: number, end: (worker: W) => void): void {
    for (const [key, slot] of this.#slots) {
      if (slot.worker.underWay > 0) slot.lastUsedMs = nowMs;
      else if (slot.worker.closed || nowMs - slot.lastUsedMs >= idleMs) this.#end(key, slot, end);
    }
  }

  endAll(end: (worker: W) => void): void {
    for (const [key, slot] of this.#slots) this.#end(key, slot, end);
  }

  #counted(): [string, Slot<W>][] {
    return [...this.#slots].filter(([, slot]) => slot.isCounted);
  }

  #endOldestIdle(end: (worker: W) => void): boolean {
    const idle = this.#counted().filter(([, slot]) => slot.worker.underWay === 0 || slot.worker.closed);
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
