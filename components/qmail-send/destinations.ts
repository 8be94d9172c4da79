/**
 * Destinations of remote deliveries (domains), and how many deliveries each may have under way: a window that grows
 * while the destination answers and is halved when it cannot be reached, as TCP's is.
 * @module
 */
import { Entry, LinkedList } from "./linked_list.ts";
import type { Outcome } from "./outcome.ts";

/** Enough to be quick with a stranger, few enough for the smallest server to bear. */
export const firstWindow = 5;

/** Destinations without deliveries that are remembered. */
export const mostLearnt = 10_000;

/** The most deliveries one destination may have under way: it can never hold every slot. */
export function mostForOne(limit: number): number {
  return Math.max(1, Math.floor(limit * 3 / 4));
}

/** The most slots that unreachable destinations may hold together: each of them may hold one until a timeout. */
export function mostForUnreachable(limit: number): number {
  return Math.max(1, Math.floor(limit / 2));
}

/** One destination as the operator sees it. */
export interface DestinationView {
  readonly name: string;
  /** Deliveries under way. */
  readonly running: number;
  /** Deliveries that are still to be started. */
  readonly waiting: number;
  /** The most deliveries it may have under way now. */
  readonly window: number;
  /** Whether the last that was heard of it is that it cannot be reached. */
  readonly unreachable: boolean;
  readonly paused: boolean;
}

/** What is kept of a destination that has no deliveries. */
interface Learnt {
  readonly window: number;
  readonly unreachable: boolean;
}

/** A destination with deliveries to make; `L` is what waits for it. */
export class Destination<L> {
  readonly name: string;
  running = 0;
  /** Deliveries not started, in all its lanes. */
  waiting = 0;
  paused: boolean;
  /** Lanes for which room is kept, and those that wait for room, both first come first served. */
  readonly released = new LinkedList<L>();
  readonly parked = new LinkedList<L>();
  /** Its place among the unreachable ones that wait for a slot. */
  readonly hope = new Entry<Destination<L>>(this);
  #window: number;
  #unreachable: boolean;
  #answered = 0;
  #halvings = 0;

  constructor(name: string, learnt: Learnt, paused: boolean) {
    this.name = name;
    this.#window = learnt.window;
    this.#unreachable = learnt.unreachable;
    this.paused = paused;
  }

  /** May be more than one destination may have: a limit may have been lowered, and may rise again. */
  get window(): number {
    return this.#window;
  }

  get unreachable(): boolean {
    return this.#unreachable;
  }

  /** How often the window was halved; a delivery that started before the last time halves it no more. */
  get halvings(): number {
    return this.#halvings;
  }

  /** Deliveries under way, and room kept for others. */
  get held(): number {
    return this.running + this.released.size;
  }

  /** A delivery ended that was started after `halvings`; `most` is what one destination may have. */
  learn(outcome: Outcome, halvings: number, most: number): void {
    if (outcome === "unknown") return;
    this.#unreachable = outcome === "unreachable";
    const window = Math.min(this.#window, most);
    if (outcome === "answered") {
      if (++this.#answered < window) return;
      this.#answered = 0;
      if (this.#window < most) this.#window++;
    } else if (halvings === this.#halvings) {
      this.#halvings++;
      this.#answered = 0;
      this.#window = Math.max(1, Math.floor(window / 2));
    }
  }
}

/** The destinations with deliveries, and what is remembered of others. */
export class Destinations<L> {
  readonly #busy = new Map<string, Destination<L>>();
  /** Least recently used first; what a stranger gets is not worth remembering. */
  readonly #learnt = new Map<string, Learnt>();
  readonly #paused = new Set<string>();
  readonly #stranger: Learnt;

  /** `window` is what a destination begins with. */
  constructor(window: number) {
    this.#stranger = { window, unreachable: false };
  }

  get busy(): Iterable<Destination<L>> {
    return this.#busy.values();
  }

  get paused(): ReadonlySet<string> {
    return this.#paused;
  }

  find(name: string): Destination<L> | undefined {
    return this.#busy.get(name);
  }

  /** The destination, which has deliveries from now on. */
  open(name: string): Destination<L> {
    const known = this.#busy.get(name);
    if (known !== undefined) return known;
    const destination = new Destination<L>(name, this.#learnt.get(name) ?? this.#stranger, this.#paused.has(name));
    this.#learnt.delete(name);
    this.#busy.set(name, destination);
    return destination;
  }

  /** It has no deliveries any more. */
  close({ name, window, unreachable }: Destination<L>): void {
    this.#busy.delete(name);
    if (window === this.#stranger.window && !unreachable) return;
    if (this.#learnt.size >= mostLearnt) this.#forgetSome();
    this.#learnt.set(name, { window, unreachable });
  }

  pause(name: string): void {
    this.#paused.add(name);
    const destination = this.find(name);
    if (destination !== undefined) destination.paused = true;
  }

  resume(name: string): void {
    this.#paused.delete(name);
    const destination = this.find(name);
    if (destination !== undefined) destination.paused = false;
  }

  /** Up to `count` of those with deliveries, busiest first; `most` is what one destination may have. */
  view(count: number, most: number): DestinationView[] {
    const busiest: Destination<L>[] = [];
    for (const destination of this.#busy.values()) {
      const place = busiest.findIndex((other) => busierFirst(destination, other) < 0);
      busiest.splice(place < 0 ? busiest.length : place, 0, destination);
      if (busiest.length > count) busiest.pop();
    }
    return busiest.map(({ name, running, waiting, window, unreachable, paused }) => ({
      name,
      running,
      waiting,
      window: Math.min(window, most),
      unreachable,
      paused,
    }));
  }

  // A tenth at a time: a map's iterator steps over whatever was deleted before its first entry.
  #forgetSome(): void {
    let left = mostLearnt / 10;
    for (const name of this.#learnt.keys()) {
      this.#learnt.delete(name);
      if (--left === 0) return;
    }
  }
}

function busierFirst(a: Destination<unknown>, b: Destination<unknown>): number {
  return b.running - a.running || b.waiting - a.waiting;
}
