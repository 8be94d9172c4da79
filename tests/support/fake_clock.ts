/**
 * Time that passes only when a test says so: takes the place of `setTimeout`, `clearTimeout` and `Date.now` until its
 * scope ends. Everything else under test must go on in microtasks: `using clock = new FakeClock();`.
 * @module
 */
import { setImmediate } from "node:timers";

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

export class FakeClock implements Disposable {
  readonly #real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout, now: Date.now };
  readonly #timers = new Map<number, Timer>();
  #nowMs: number;
  #nextId = 1;

  constructor(startSeconds = 1_795_333_684) {
    this.#nowMs = startSeconds * 1000;
    const later = (run: () => void, ms = 0) => {
      this.#timers.set(this.#nextId, { atMs: this.#nowMs + ms, run });
      return this.#nextId++;
    };
    globalThis.setTimeout = later as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((id?: number) => void this.#timers.delete(id ?? 0)) as typeof clearTimeout;
    Date.now = () => this.#nowMs;
  }

  get seconds(): number {
    return Math.floor(this.#nowMs / 1000);
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Lets everything go on that needs no time. */
  async settle(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(() => resolve()));
  }

  /** Lets time pass, timer by timer. */
  async advance(seconds: number): Promise<void> {
    const endMs = this.#nowMs + seconds * 1000;
    await this.settle();
    while (await this.#runNext(endMs));
    this.#nowMs = endMs;
  }

  /** Jumps to the next timer and runs it; false when none waits. */
  async jump(): Promise<boolean> {
    await this.settle();
    return await this.#runNext(Infinity);
  }

  /** The process that set them is gone. */
  dropTimers(): void {
    this.#timers.clear();
  }

  async #runNext(endMs: number): Promise<boolean> {
    const [id, timer] = [...this.#timers].sort(([, a], [, b]) => a.atMs - b.atMs)[0] ?? [];
    if (id === undefined || timer === undefined || timer.atMs > endMs) return false;
    this.#timers.delete(id);
    this.#nowMs = Math.max(this.#nowMs, timer.atMs);
    timer.run();
    await this.settle();
    return true;
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#real.setTimeout;
    globalThis.clearTimeout = this.#real.clearTimeout;
    Date.now = this.#real.now;
  }
}
