/**
 * Tells open pages that something has changed: looks at the world while somebody listens, and only then.
 * @module
 */

/** Called with a count that grows with each change. */
export type Listener = (change: number) => void;

/** Pages that may be open at once; others go without live updates. */
export const mostListeners = 32;

export class Ticker {
  readonly #look: () => Promise<string>;
  readonly #everyMs: number;
  readonly #listeners = new Map<Listener, () => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last: string | undefined;
  #change = 0;
  #stopped = false;

  /** `look` answers something that is another one when there is something new to see; it does not reject. */
  constructor(look: () => Promise<string>, everyMs: number) {
    this.#look = look;
    this.#everyMs = everyMs;
  }

  /** Whether nobody else can listen. */
  get isFull(): boolean {
    return this.#stopped || this.#listeners.size >= mostListeners;
  }

  /** False where it {@link isFull}. `onStop`: the last thing that is heard. */
  listen(listener: Listener, onStop: () => void): boolean {
    if (this.isFull) return false;
    this.#listeners.set(listener, onStop);
    if (this.#listeners.size === 1) void this.#run();
    return true;
  }

  leave(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#last = undefined;
  }

  stop(): void {
    this.#stopped = true;
    for (const [listener, onStop] of [...this.#listeners]) {
      this.leave(listener);
      onStop();
    }
  }

  async #run(): Promise<void> {
    const now = await this.#look();
    if (this.#listeners.size === 0) return;
    if (this.#last !== undefined && this.#last !== now) {
      this.#change++;
      for (const listener of [...this.#listeners.keys()]) listener(this.#change);
    }
    this.#last = now;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), this.#everyMs);
  }
}
