/**
 * The retry queue on the clock: tells of each message when its next attempt is due.
 * @module
 */
import { type Retry, RetryQueue } from "./retry_queue.ts";

/** setTimeout's longest wait is some 24 days; qmail looks at its queue at least once a day. */
const longestWaitMs = 86_400_000;

export class RetryTimer {
  readonly #queue = new RetryQueue();
  readonly #nowSeconds: () => number;
  readonly #onDue: (retry: Retry) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerSeconds = Infinity;
  #stopped = false;

  constructor(nowSeconds: () => number, onDue: (retry: Retry) => void) {
    this.#nowSeconds = nowSeconds;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#queue.size;
  }

  add(retry: Retry): void {
    this.#queue.add(retry);
    if (retry.atSeconds < this.#timerSeconds) this.#schedule();
  }

  /** Everything is due now. */
  allDue(): void {
    this.#queue.allDue(this.#nowSeconds());
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timerSeconds = this.#queue.earliest ?? Infinity;
    if (this.#timerSeconds === Infinity || this.#stopped) return;
    const delayMs = Math.max(0, (this.#timerSeconds - this.#nowSeconds()) * 1000);
    this.#timer = setTimeout(() => this.#takeDue(), Math.min(delayMs, longestWaitMs));
  }

  #takeDue(): void {
    const now = this.#nowSeconds();
    for (let retry = this.#queue.takeDue(now); retry !== undefined; retry = this.#queue.takeDue(now)) {
      this.#onDue(retry);
    }
    this.#schedule();
  }
}
