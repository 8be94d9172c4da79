/**
 * Which delivery starts next. Every message with deliveries to make has one pass per channel; passes take turns, one
 * delivery each, so that a message with a hundred thousand recipients delays nobody else's by more than a turn. A remote
 * destination that has all the deliveries it may have holds back only those to itself.
 * @module
 */
import { domainOf } from "../lib/address/parse_domain.ts";
import { type Channel, channels } from "../lib/queue/layout.ts";
import { defaultRules, type Shaping } from "../lib/shaping/shaping_file.ts";
import type { ShownDestination } from "../lib/wire/control_protocol.ts";
import { siteKey } from "./destinations.ts";
import type { Pass, TakenBack } from "./lanes.ts";
import type { Outcome, Told } from "./outcome.ts";
import { Relays } from "./relays.ts";
import { Turns } from "./turns.ts";

/** One recipient of a message on its way through a pass. */
export interface Recipient {
  readonly address: string;
  /** Where its letter stands in the local or remote file; -1 while the message has none. */
  offset: number;
  state: "pending" | "running" | "delivered" | "failed" | "deferred";
  /** Deliveries whose process died. */
  losses: number;
}

/** One of a message without files, nothing done yet. */
export function pendingRecipient(address: string): Recipient {
  return { address, offset: -1, state: "pending", losses: 0 };
}

/** Whether nothing is left to do for it: it has the message, or never will. */
export function isDone({ state }: Recipient): boolean {
  return state === "delivered" || state === "failed";
}

/** One delivery: recipients that travel together (several only on the remote channel, of one domain or to one relay). */
export interface Job<M> {
  readonly message: M;
  readonly channel: Channel;
  /** Remote: the first recipient's domain, lower-cased. Local: "", for there one destination is like the other. */
  readonly destination: string;
  readonly recipients: readonly Recipient[];
}

/** What was added at one time. */
export type Added<M> = Pass<Job<M>>;

/** Recipients of one remote delivery at the most (RFC 5321 §4.5.3.1.8: every server takes 100). */
export const mostTogether = 100;

/** What mail for a domain (lower-cased) may travel with, as {@link Dispatcher.wayOf} knows it. */
export type WayOf = (domain: string) => string;

/** Each domain's mail by itself. */
export const byDomain: WayOf = (domain) => domain;

/** Cuts recipients into deliveries: those that `wayOf` has go one way may share one; undefined: none may. */
export function jobsOf<M>(
  message: M,
  channel: Channel,
  recipients: readonly Recipient[],
  wayOf: WayOf | undefined,
): Job<M>[] {
  const cutter = new JobCutter(message, channel, wayOf);
  cutter.add(recipients);
  return cutter.jobs;
}

/** {@link jobsOf}, for recipients that come a slice at a time. */
export class JobCutter<M> {
  readonly jobs: Job<M>[] = [];
  readonly #message: M;
  readonly #channel: Channel;
  readonly #wayOf: WayOf | undefined;
  /** The last delivery of each way: others may join it. */
  readonly #open = new Map<string, Recipient[]>();
  /** What was found out about domains, as addresses have them. */
  readonly #known = new Map<string, { readonly destination: string; readonly way: string | undefined }>();

  constructor(message: M, channel: Channel, wayOf: WayOf | undefined) {
    this.#message = message;
    this.#channel = channel;
    this.#wayOf = channel === "remote" ? wayOf : undefined;
  }

  add(recipients: readonly Recipient[]): void {
    for (const recipient of recipients) {
      const { destination, way } = this.#look(recipient.address);
      const group = way === undefined ? undefined : this.#open.get(way);
      if (group !== undefined && group.length < mostTogether) {
        group.push(recipient);
        continue;
      }
      const fresh = [recipient];
      if (way !== undefined) this.#open.set(way, fresh);
      this.jobs.push({ message: this.#message, channel: this.#channel, destination, recipients: fresh });
    }
  }

  #look(address: string): { readonly destination: string; readonly way: string | undefined } {
    const domain = this.#channel === "local" ? "" : address.slice(address.lastIndexOf("@") + 1);
    let known = this.#known.get(domain);
    if (known === undefined) {
      const destination = domainOf(domain);
      known = { destination, way: this.#wayOf?.(destination) };
      this.#known.set(domain, known);
    }
    return known;
  }
}

/** Windows alone: nothing waits for its time. */
const withoutPauses: Shaping = {
  ...{ named: new Map(), warmUps: new Map() },
  others: { ...defaultRules, backoff: undefined },
};

/** Times are in ms since 1970. Only remote deliveries wait for any. */
export class Dispatcher<M> {
  readonly #turns: Readonly<Record<Channel, Turns<Job<M>>>>;
  readonly #relays = new Relays();

  constructor(limits: Readonly<Record<Channel, number>>, shaping: Shaping = withoutPauses) {
    this.#turns = { local: new Turns(limits.local), remote: new Turns(limits.remote, shaping) };
  }

  get running(): Readonly<Record<Channel, number>> {
    return { local: this.#turns.local.running, remote: this.#turns.remote.running };
  }

  get limits(): Readonly<Record<Channel, number>> {
    return { local: this.#turns.local.limit, remote: this.#turns.remote.limit };
  }

  setLimits(limits: Readonly<Record<Channel, number>>): void {
    for (const channel of channels) this.#turns[channel].setLimit(limits[channel]);
  }

  /** Adds deliveries of one message on one channel; they take turns with those of others. */
  add(channel: Channel, jobs: readonly Job<M>[], nowMs = 0): Added<M> {
    return this.#turns[channel].add(jobs, nowMs);
  }

  /** Takes back those of them that have not been started. */
  remove(channel: Channel, added: Added<M>, nowMs = 0): Job<M>[] {
    return this.#turns[channel].remove(added, nowMs);
  }

  /** The next delivery for which there is a slot, and room at its destination; both are taken. */
  next(nowMs = 0): Job<M> | undefined {
    return this.#turns.local.next(nowMs) ?? this.#turns.remote.next(nowMs);
  }

  /** Gives a delivery's slot back; `outcome` and `told` are what it told about its destination. */
  ended(job: Job<M>, outcome: Outcome, told?: Told, nowMs = 0): void {
    this.#turns[job.channel].ended(job, outcome, told, nowMs);
    if (told !== undefined && told.site !== "") this.learnRelay(job.destination, told.relay ?? "");
  }

  /** What remote mail for a domain (lower-cased) may travel with: equal for domains of one relay. */
  wayOf(domain: string): string {
    const relay = this.#relays.of(domain);
    return relay === "" || this.#turns.remote.standsAlone(domain) ? domain : siteKey(relay);
  }

  /** Mail for `domain` went to this relay last; "": by MX. */
  learnRelay(domain: string, relay: string): void {
    this.#relays.learn(domain, relay);
  }

  /** Takes back remote deliveries that would wait in memory for long; the caller adds them again at their time. */
  takeBack(nowMs: number): readonly TakenBack<Job<M>>[] {
    return this.#turns.remote.takeBack(nowMs);
  }

  /** When {@link tick} is to be called next; Infinity: never. */
  get wakeAtMs(): number {
    return this.#turns.remote.wakeAtMs;
  }

  /** Has those destinations go on whose time has come. */
  tick(nowMs: number): void {
    this.#turns.remote.tick(nowMs);
  }

  setShaping(shaping: Shaping, nowMs: number): void {
    this.#turns.remote.setShaping(shaping, nowMs);
  }

  /** Has every destination tried that is paused for its setbacks. */
  endPauses(nowMs: number): void {
    this.#turns.remote.endPauses(nowMs);
  }

  /**
   * Starts no remote delivery to a site or domain (lower-cased) until it is resumed; all else goes on. Takes back what waits
   * with others' mail and is for that domain too: the caller cuts it anew.
   */
  pause(destination: string, nowMs = 0): readonly TakenBack<Job<M>>[] {
    const concerns = ({ recipients }: Job<M>) => recipients.some(({ address }) => domainOf(address) === destination);
    return this.#turns.remote.pause(destination, concerns, nowMs);
  }

  resume(destination: string): void {
    this.#turns.remote.resume(destination);
  }

  /** Destinations that are paused, with or without deliveries. */
  get paused(): ReadonlySet<string> {
    return this.#turns.remote.paused;
  }

  /** Up to `count` of the remote destinations that have deliveries, busiest first. */
  destinations(count: number, nowMs = 0): readonly ShownDestination[] {
    return this.#turns.remote.view(count, nowMs);
  }
}
