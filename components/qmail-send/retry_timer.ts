/**
 * The retry queue on the clock: tells of each message when its next attempt is due. When very many are due at once (after
 * SIGALRM, or at a start after a week) they are taken some at a time, with everything else in between, and only as long
 * as whoever makes the attempts has room for another.
 * @module
 */
import { type Retry, RetryQueue } from "./retry_queue.ts";

export interface RetryTimerEvents {
  nowSeconds(): number;
  /** It is due, and not waiting any more: it may be added again. */
  onDue(retry: Retry): void;
  /**
   * Asked before each that is due is taken. After false none is until {@link RetryTimer.resume} is called, so whoever
   * says false has to call it.
   */
  ready(): boolean;
}

/** setTimeout's longest wait is some 24 days; qmail looks at its queue at least once a day. */
const longestWaitMs = 86_400_000;

/** Taken in one turn of the event loop: to begin an attempt two files are read, so this is some 10 ms. */
export const mostPerTurn = 100;

export class RetryTimer {
  readonly #queue = new RetryQueue();
  readonly #events: RetryTimerEvents;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerSeconds = Infinity;
  /** Something is due, and there was no room for it. */
  #blocked = false;
  #stopped = false;

  constructor(events: RetryTimerEvents) {
    this.#events = events;
  }

  get size(): number {
    return this.#queue.size;
  }

  add(retry: Retry): void {
    this.#queue.add(retry);
    if (retry.atSeconds < this.#timerSeconds) this.#schedule();
  }

  /** Everything is due now but what is held. */
  allDue(): void {
    this.#queue.allDue(this.#events.nowSeconds());
    this.#schedule();
  }

  /** There is room again. Costs nothing when nothing waited for it. */
  resume(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timerSeconds = this.#queue.earliest ?? Infinity;
    if (this.#timerSeconds === Infinity || this.#blocked || this.#stopped) return;
    const delayMs = Math.max(0, (this.#timerSeconds - this.#events.nowSeconds()) * 1000);
    this.#timer = setTimeout(() => this.#takeSome(), Math.min(delayMs, longestWaitMs));
  }

  #takeSome(): void {
    const now = this.#events.nowSeconds();
    for (let taken = 0; taken < mostPerTurn && !this.#stopped; taken++) {
      if ((this.#queue.earliest ?? Infinity) > now) break;
      if (!this.#events.ready()) {
        this.#blocked = true;
        break;
      }
      this.#events.onDue(this.#queue.takeDue(now)!);
    }
    // What is due still is for a turn of its own: the timer comes at once.
    this.#schedule();
  }
}
