/**
 * What destinations that cannot be reached hold together: each delivery to one may last until a timeout, so they share half
 * of the slots, and take turns for them.
 * @module
 */
import type { Destination } from "./destinations.ts";
import { LinkedList } from "./linked_list.ts";
import { mostForUnreachable } from "./shares.ts";

export class Unreachable<L> {
  /** Those with room of their own that wait for a slot. */
  readonly #hopeful = new LinkedList<Destination<L>>();
  /** Deliveries under way; the same with the room kept for others. */
  #running = 0;
  #held = 0;

  /** Adds (1) or takes away (-1) all that a destination holds: around whatever changes it, or whether it can be reached. */
  count({ unreachable, running, held }: Destination<L>, sign: 1 | -1): void {
    if (!unreachable) return;
    this.#running += sign * running;
    this.#held += sign * held;
  }

  /** A delivery to it takes the room that was kept. */
  started({ unreachable }: Destination<L>): void {
    if (unreachable) this.#running++;
  }

  /** Room is kept for one delivery more (1), or less (-1). */
  kept({ unreachable }: Destination<L>, sign: 1 | -1): void {
    if (unreachable) this.#held += sign;
  }

  mayStart(limit: number): boolean {
    return this.#running < mostForUnreachable(limit);
  }

  /** Has it wait for a slot, if it does not. */
  hope(destination: Destination<L>): void {
    if (destination.hope.list === undefined) this.#hopeful.addLast(destination.hope);
  }

  /** The one whose turn it is, which waits no more; undefined: there is none, or no slot. */
  next(limit: number): Destination<L> | undefined {
    if (this.#held >= mostForUnreachable(limit)) return undefined;
    const destination = this.#hopeful.first;
    destination?.hope.leave();
    return destination;
  }
}
