/**
 * Destinations that wait for their time: the end of a pause, or what their rate leaves. One clock for all of them.
 * @module
 */
import type { Destination } from "./destinations.ts";

export class Resting<L> {
  readonly #destinations = new Set<Destination<L>>();
  #wakeAtMs = Infinity;

  /** When the first of them is to be looked at: ms since 1970, Infinity for never. It may be too early. */
  get wakeAtMs(): number {
    return this.#wakeAtMs;
  }

  /** Has a destination wait, if its pace says so. */
  add(destination: Destination<L>, nowMs: number): void {
    const readyAtMs = destination.pace.readyAtMs(nowMs);
    if (readyAtMs <= nowMs) return;
    destination.resting = true;
    this.#destinations.add(destination);
    this.#wakeAtMs = Math.min(this.#wakeAtMs, readyAtMs);
  }

  remove(destination: Destination<L>): void {
    destination.resting = false;
    this.#destinations.delete(destination);
  }

  /** It may have been answered: it waits for as long as its pace says now. */
  lookAt(destination: Destination<L>, nowMs: number): void {
    if (destination.resting && destination.pace.readyAtMs(nowMs) <= nowMs) this.remove(destination);
    else this.add(destination, nowMs);
  }

  /** Those that wait no more. Looks at all of them. */
  takeReady(nowMs: number): Destination<L>[] {
    const ready: Destination<L>[] = [];
    this.#wakeAtMs = Infinity;
    for (const destination of this.#destinations) {
      const readyAtMs = destination.pace.readyAtMs(nowMs);
      if (readyAtMs > nowMs) this.#wakeAtMs = Math.min(this.#wakeAtMs, readyAtMs);
      else ready.push(destination);
    }
    for (const destination of ready) this.remove(destination);
    return ready;
  }
}
