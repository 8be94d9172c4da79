/**
 * The processes of users in use: one is started when it is needed, and waited for where there are enough of them.
 * @module
 */
import type { Controlling } from "../wire/getpw_protocol.ts";
import { Line } from "./line.ts";
import { Pool, type Worker } from "./pool.ts";
import { keyOf, type Kind } from "./place.ts";

/** So long a delivery waits for a process; then it is tried again later. */
const defaultWaitMs = 300_000;
const endIdleEveryMs = 10_000;

/** What is known of a process. */
export interface UserProcess extends Worker {
  /** Settles when it is gone. */
  readonly ended: Promise<void>;
  /** Tells it to finish and go. */
  close(): void;
}

/** Starts a process of that kind as, and for, an account. */
export type StartProcess<W> = (kind: Kind, account: Controlling) => W;

export interface WorkersOptions {
  /** How long who needs a process waits for one; default five minutes. */
  readonly longestWaitMs?: number;
}

export class Workers<W extends UserProcess> {
  readonly #start: StartProcess<W>;
  readonly #pool = new Pool<W>();
  readonly #line = new Line();
  readonly #ending = new WeakSet<W>();
  readonly #idle: ReturnType<typeof setInterval>;
  readonly #longestWaitMs: number;
  #generation = 0;

  constructor(start: StartProcess<W>, { longestWaitMs = defaultWaitMs }: WorkersOptions = {}) {
    this.#start = start;
    this.#longestWaitMs = longestWaitMs;
    this.#idle = setInterval(() => this.#pool.endIdle(Date.now(), this.#end), endIdleEveryMs);
  }

  /** Whether a process of that kind is there. */
  has(kind: Kind, account: Controlling): boolean {
    return this.#pool.has(this.#keyOf(kind, account));
  }

  /** What they may touch has changed: work from now on gets processes begun from now on; the others end when idle. */
  renew(): void {
    this.#generation++;
  }

  /**
   * Has `work` done by a process for `account`; undefined where there was none to be had in time. It is called in the
   * same turn in which the process is chosen, and has to count as under way at once: an idle one may be ended.
   */
  async with<T>(kind: Kind, account: Controlling, work: (worker: W) => Promise<T>): Promise<T | undefined> {
    const key = this.#keyOf(kind, account);
    const isFree = kind === "virtual";
    const untilMs = Date.now() + this.#longestWaitMs;
    for (let isFirst = true;; isFirst = false) {
      // Nobody who needs a new process passes those that have waited for one.
      const mayTake = isFree || !isFirst || this.#line.length === 0 || this.#pool.has(key);
      const worker = mayTake
        ? this.#pool.take(key, Date.now(), () => this.#started(kind, account), this.#end, { isFree })
        : undefined;
      if (worker !== undefined) return await this.#use(worker, key, work);
      if (!await this.#turn(key, !isFirst, untilMs - Date.now())) return undefined;
    }
  }

  #keyOf(kind: Kind, account: Controlling): string {
    return `${this.#generation} ${keyOf(kind, account)}`;
  }

  async #use<T>(worker: W, key: string, work: (worker: W) => Promise<T>): Promise<T> {
    try {
      const done = work(worker);
      this.#line.serve(key);
      return await done;
    } finally {
      if (worker.underWay === 0) this.#line.next();
    }
  }

  stop(): void {
    clearInterval(this.#idle);
    this.#pool.endAll(this.#end);
  }

  readonly #end = (worker: W): void => {
    this.#ending.add(worker);
    worker.close();
  };

  #turn(key: string, inFront: boolean, limitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        leave?.();
        resolve(false);
      }, Math.max(0, limitMs));
      const leave = this.#line.join(key, () => {
        clearTimeout(timer);
        resolve(true);
      }, inFront);
      if (leave !== undefined) return;
      clearTimeout(timer);
      resolve(false);
    });
  }

  #started(kind: Kind, account: Controlling): W {
    const worker = this.#start(kind, account);
    // One that died has left its place; one that was ended has lost it to the next already.
    void worker.ended.then(() => {
      if (!this.#ending.has(worker)) this.#line.next();
    });
    return worker;
  }
}
