/**
 * Does what many ask for at a time: at once for one who asks seldom, and after that with a rest in between, so that who
 * ask meanwhile share the next time. Whoever is told of it wakes once for all of them.
 * @module
 */

export class Rests {
  readonly #restMs: number;
  readonly #run: () => void;
  readonly #soon: (run: () => void) => void;
  #asked = false;
  #ranAtMs = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * `run` is called at the end of the turn in which somebody asked, or when `soon` calls what it gets, and no sooner than
   * `restMs` after the last time.
   */
  constructor(restMs: number, run: () => void, soon: (run: () => void) => void = queueMicrotask) {
    this.#restMs = restMs;
    this.#run = run;
    this.#soon = soon;
  }

  /** Has it done soon. */
  ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    const leftMs = this.#ranAtMs + this.#restMs - performance.now();
    if (leftMs > 0) this.#timer = setTimeout(() => this.now(), leftMs);
    else this.#soon(() => this.now());
  }

  /** Has done now what somebody asked for. */
  now(): void {
    if (!this.#asked) return;
    this.#asked = false;
    clearTimeout(this.#timer);
    this.#ranAtMs = performance.now();
    this.#run();
  }
}
