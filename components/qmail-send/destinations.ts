/**
 * Destinations of remote deliveries: sites, and domains of which no site is known (yet). What waits for each, what runs,
 * and the pace each has (pace.ts), which is remembered for a while when nothing is left to deliver.
 * @module
 */
import type { SiteRules } from "../lib/shaping/shaping_file.ts";
import type { ShownDestination } from "../lib/wire/control_protocol.ts";
import { Entry, LinkedList } from "./linked_list.ts";
import { fewWaiting, Pace } from "./pace.ts";

/** Destinations without deliveries that are remembered. */
export const mostLearnt = 10_000;

/** What waits for one that is paused by the operator comes back after so long, to wait on, or to go. */
const pausedAwayMs = 300_000;

/** What is kept of an error's text. */
const longestError = 300;

/** The key of a site; no domain has an "@". */
export function siteKey(site: string): string {
  return `@${site}`;
}

/** A destination with deliveries to make; `L` is what waits for it. */
export class Destination<L> {
  /** Its domain, or {@link siteKey}. */
  readonly key: string;
  running = 0;
  /** Deliveries not started, in all its lanes. */
  waiting = 0;
  /** By the operator. */
  paused: boolean;
  /** It waits for its time: the end of a pause, or what its rate leaves. */
  resting = false;
  /** Of a domain's own: the site that has taken over all it had. */
  movedTo: Destination<L> | undefined;
  /** Lanes for which room is kept, and those that wait for room, both first come first served. */
  readonly released = new LinkedList<L>();
  readonly parked = new LinkedList<L>();
  /** Its place among the unreachable ones that wait for a slot. */
  readonly hope = new Entry<Destination<L>>(this);
  pace: Pace;
  lastCode = 0;
  lastError = "";

  constructor(key: string, pace: Pace, paused: boolean) {
    this.key = key;
    this.pace = pace;
    this.paused = paused;
  }

  get isSite(): boolean {
    return this.key.startsWith("@");
  }

  get name(): string {
    return this.isSite ? this.key.slice(1) : this.key;
  }

  get unreachable(): boolean {
    return this.pace.unreachable;
  }

  /** Deliveries under way, and room kept for others. */
  get held(): number {
    return this.running + this.released.size;
  }

  /** Nothing is to be started now, whoever asks. */
  get closed(): boolean {
    return this.paused || this.resting;
  }

  /** How many deliveries may wait for it in memory; Infinity: all. */
  get mostWaiting(): number {
    return this.paused ? fewWaiting : this.pace.mostWaiting;
  }

  /** When one that is too many in memory is to come back. */
  comeBackAtMs(nowMs: number): number {
    return this.paused ? nowMs + pausedAwayMs : this.pace.comeBackAtMs(nowMs);
  }

  noteError(code: number, text: string): void {
    this.lastCode = code;
    this.lastError = text.slice(0, longestError).trimEnd().replaceAll("\n", " ");
  }
}

/** The destinations with deliveries, and what is remembered of others. */
export class Destinations<L> {
  readonly #busy = new Map<string, Destination<L>>();
  /** Least recently used first; what a stranger gets is not worth remembering. */
  readonly #learnt = new Map<string, Pace>();
  readonly #paused = new Set<string>();
  #rulesFor: (name: string) => SiteRules;

  /** `rulesFor` tells what a domain or site may have. */
  constructor(rulesFor: (name: string) => SiteRules) {
    this.#rulesFor = rulesFor;
  }

  get busy(): Iterable<Destination<L>> {
    return this.#busy.values();
  }

  /** Whether there is no delivery to make, nor one under way. */
  get none(): boolean {
    return this.#busy.size === 0;
  }

  get paused(): ReadonlySet<string> {
    return this.#paused;
  }

  find(key: string): Destination<L> | undefined {
    return this.#busy.get(key);
  }

  /** Whether nothing but the beginning is known of it. */
  isStranger(key: string): boolean {
    return !this.#busy.has(key) && !this.#learnt.has(key);
  }

  /** Other rules from now on, for those with deliveries at once. */
  setRules(rulesFor: (name: string) => SiteRules): void {
    this.#rulesFor = rulesFor;
    for (const destination of this.#busy.values()) destination.pace.setRules(rulesFor(destination.name));
  }

  /** The destination, which has deliveries from now on. */
  open(key: string, nowMs = 0): Destination<L> {
    const known = this.#busy.get(key);
    if (known !== undefined) return known;
    const name = key.startsWith("@") ? key.slice(1) : key;
    const rules = this.#rulesFor(name);
    const pace = this.#learnt.get(key) ?? new Pace(rules);
    pace.setRules(rules);
    pace.wake(nowMs);
    const destination = new Destination<L>(key, pace, this.#paused.has(name));
    this.#learnt.delete(key);
    this.#busy.set(key, destination);
    return destination;
  }

  /** It has no deliveries any more. */
  close({ key, pace }: Destination<L>, nowMs = 0): void {
    this.#busy.delete(key);
    pace.rest(nowMs);
    if (pace.isNew) return;
    if (this.#learnt.size >= mostLearnt) this.#forgetSome();
    this.#learnt.set(key, pace);
  }

  /** A domain's own, all of which has moved to a site. */
  drop({ key }: Destination<L>): void {
    this.#busy.delete(key);
  }

  /** Sites and domains of this name. */
  #named(name: string): Destination<L>[] {
    return [this.find(name), this.find(siteKey(name))].filter((one) => one !== undefined);
  }

  /** Those with deliveries that it concerns. */
  pause(name: string): readonly Destination<L>[] {
    this.#paused.add(name);
    const paused = this.#named(name);
    for (const destination of paused) destination.paused = true;
    return paused;
  }

  /** Those with deliveries that it concerns. */
  resume(name: string): readonly Destination<L>[] {
    this.#paused.delete(name);
    const resumed = this.#named(name);
    for (const destination of resumed) destination.paused = false;
    return resumed;
  }

  /** SIGALRM: no pause lasts, of none that has deliveries or is remembered. */
  endPauses(): void {
    for (const { pace } of this.#busy.values()) pace.endPause();
    for (const pace of this.#learnt.values()) pace.endPause();
  }

  /**
   * Up to `count` of those with deliveries, busiest first, and then of those that are paused by the operator and have none;
   * `most` is what one destination may have.
   */
  view(count: number, most: number, nowMs = 0): ShownDestination[] {
    const busiest: Destination<L>[] = [];
    for (const destination of this.#busy.values()) {
      const place = busiest.findIndex((other) => busierFirst(destination, other) < 0);
      busiest.splice(place < 0 ? busiest.length : place, 0, destination);
      if (busiest.length > count) busiest.pop();
    }
    return [...busiest.map((destination) => viewOf(destination, most, nowMs)), ...this.#idlePaused()].slice(0, count);
  }

  *#idlePaused(): Generator<ShownDestination, void, undefined> {
    for (const name of this.#paused) {
      if (this.#named(name).length > 0) continue;
      yield {
        ...{ name, site: false, running: 0, waiting: 0, window: 0, unreachable: false, paused: true },
        ...{ rate: "", pausedUntilMs: 0, lastCode: 0, lastError: "" },
      };
    }
  }

  // A tenth at a time: a map's iterator steps over whatever was deleted before its first entry.
  #forgetSome(): void {
    let left = mostLearnt / 10;
    for (const key of this.#learnt.keys()) {
      this.#learnt.delete(key);
      if (--left === 0) return;
    }
  }
}

function viewOf(destination: Destination<unknown>, most: number, nowMs: number): ShownDestination {
  const { name, isSite, running, waiting, pace, paused, lastCode, lastError } = destination;
  return {
    name,
    site: isSite,
    running,
    waiting,
    window: pace.room(most),
    unreachable: pace.unreachable,
    paused,
    rate: pace.rate === undefined ? "" : `${pace.rate.count}/${pace.rate.perSeconds}s`,
    pausedUntilMs: pace.pausedUntilMs(nowMs) ?? 0,
    lastCode,
    lastError,
  };
}

function busierFirst(a: Destination<unknown>, b: Destination<unknown>): number {
  return b.running - a.running || b.waiting - a.waiting;
}
