/**
 * How fast one destination may be delivered to, learnt from what comes of its deliveries. A window of deliveries under way
 * that grows while the destination answers and is halved by a setback, as TCP's is; a pause after several setbacks in a row,
 * each twice as long as the one before and followed by one delivery alone (a probe), until one is answered; a rate.
 *
 * Time is an argument, in ms since 1970.
 * @module
 */
import type { Rate, SiteRules } from "../lib/shaping/shaping_file.ts";
import { Bucket } from "./bucket.ts";
import type { Outcome } from "./outcome.ts";

/** A rate's deliveries of so long a time may begin at once. */
const burstSeconds = 1;

/** What one destination may have waiting in memory: what it can begin in so long a time. */
export const foreseenMs = 60_000;
/** With a pause, or a probe under way: enough to go on with when it is answered. */
export const fewWaiting = 10;
/** The longest that what waits elsewhere is sent away for at a time. */
const longestAwayMs = 3_600_000;

/** What is known beside the outcome of a delivery that ended. */
export interface Ending {
  /** In the order of their start, among all deliveries: when this one was started. */
  readonly startedAt: number;
  /** The delivery that was started last. */
  readonly latest: number;
  /** What one destination may have at the most. */
  readonly most: number;
  readonly nowMs: number;
}

export class Pace {
  #rules: SiteRules;
  #window: number;
  #unreachable = false;
  #answered = 0;
  /** Setbacks since the last answer. */
  #setbacks = 0;
  /** The delivery that was started last when it was halved: those before it halve it no more. */
  #halvedAt = 0;
  #pauses = 0;
  /** A pause lasts from here to there; one that ends at 0 is none. */
  #pausedMs = 0;
  #resumesMs = 0;
  #bucket: Bucket | undefined;
  #usedMs = 0;

  constructor(rules: SiteRules) {
    this.#rules = rules;
    this.#window = rules.start;
  }

  /** Other rules from now on; what was learnt stays. */
  setRules(rules: SiteRules): void {
    if (rules === this.#rules) return;
    this.#rules = rules;
    this.#bucket = undefined;
    if (rules.backoff === undefined) this.#resumesMs = 0;
  }

  /** May be more than one destination may have: a limit may have been lowered, and may rise again. */
  get window(): number {
    return this.#window;
  }

  /** The most deliveries it may have under way now, where one destination may have `most`. */
  room(most: number): number {
    return this.probing ? 1 : Math.min(this.#window, this.#rules.concurrency, most);
  }

  get unreachable(): boolean {
    return this.#unreachable;
  }

  /** Whether it is paused, or has been since its last answer: one delivery at a time tries whether it is over. */
  get probing(): boolean {
    return this.#pauses > 0;
  }

  get rate(): Rate | undefined {
    return this.#rules.rate;
  }

  /** Whether it is as if nothing were known. */
  get isNew(): boolean {
    return this.#window === this.#rules.start && !this.#unreachable && this.#setbacks === 0 &&
      this.#bucket === undefined;
  }

  /** Deliveries begin after a time without any. */
  wake(nowMs: number): void {
    this.#answered = 0;
    const { idleSeconds, start } = this.#rules;
    if (idleSeconds > 0 && nowMs - this.#usedMs >= idleSeconds * 1000) this.#window = Math.min(this.#window, start);
  }

  /** Deliveries have ended, and none waits. */
  rest(nowMs: number): void {
    this.#usedMs = nowMs;
  }

  /** A delivery began. */
  spend(nowMs: number): void {
    this.#meter(nowMs)?.take(nowMs);
  }

  /** When the next delivery may begin: not after `nowMs` means now. */
  readyAtMs(nowMs: number): number {
    // A clock that was set back to before the pause ends it.
    const resumes = nowMs < this.#pausedMs ? 0 : this.#resumesMs;
    return Math.max(resumes, this.#meter(nowMs)?.readyAtMs(nowMs) ?? 0);
  }

  /** When the pause ends, if there is one. */
  pausedUntilMs(nowMs: number): number | undefined {
    return nowMs >= this.#pausedMs && nowMs < this.#resumesMs ? this.#resumesMs : undefined;
  }

  /** The pause is over; what follows is a probe all the same. */
  endPause(): void {
    this.#resumesMs = 0;
  }

  /** How many deliveries may wait for it in memory; Infinity: all. */
  get mostWaiting(): number {
    if (this.probing) return fewWaiting;
    const { rate } = this.#rules;
    if (rate === undefined) return Infinity;
    return Math.max(fewWaiting, Math.ceil(rate.count / rate.perSeconds * foreseenMs / 1000));
  }

  /** When one that is too many in memory is to come back. */
  comeBackAtMs(nowMs: number): number {
    const paused = this.pausedUntilMs(nowMs);
    if (paused !== undefined) return paused;
    if (this.probing) return nowMs + foreseenMs;
    return this.#meter(nowMs)?.reserve(nowMs, foreseenMs, longestAwayMs) ?? nowMs + foreseenMs;
  }

  /** What came of a delivery. */
  learn(outcome: Outcome, { startedAt, latest, most, nowMs }: Ending): void {
    if (outcome === "unknown") return;
    this.#unreachable = outcome === "unreachable";
    const bound = Math.min(most, this.#rules.concurrency);
    const window = Math.min(this.#window, bound);
    if (outcome === "answered") {
      this.#setbacks = this.#pauses = this.#resumesMs = 0;
      if (++this.#answered < window) return;
      this.#answered = 0;
      if (this.#window < bound) this.#window++;
    } else if (startedAt > this.#halvedAt) {
      this.#halvedAt = latest;
      this.#answered = 0;
      this.#window = Math.max(1, Math.floor(window / 2));
      this.#setbacks++;
      this.#pause(nowMs);
    }
  }

  #pause(nowMs: number): void {
    const { backoff, failures } = this.#rules;
    if (backoff === undefined || this.#setbacks < failures) return;
    const seconds = Math.min(backoff.mostSeconds, backoff.leastSeconds * 2 ** Math.min(this.#pauses, 30));
    this.#pauses++;
    this.#pausedMs = nowMs;
    this.#resumesMs = nowMs + seconds * 1000;
  }

  #meter(nowMs: number): Bucket | undefined {
    if (this.#rules.rate === undefined) return undefined;
    return this.#bucket ??= new Bucket(this.#rules.rate, burstSeconds, nowMs);
  }
}
