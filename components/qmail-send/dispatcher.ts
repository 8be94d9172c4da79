/**
 * Which delivery starts next. Every message with deliveries to make has one pass per channel; passes take turns, one
 * delivery each, so that a message with a hundred thousand recipients delays nobody else's by more than a turn. A remote
 * destination that has all the deliveries it may have holds back only those to itself.
 * @module
 */
import { lowerCaseAscii } from "../lib/address/parse_domain.ts";
import { type Channel, channels } from "../lib/queue/layout.ts";
import type { DestinationView } from "./destinations.ts";
import type { Outcome } from "./outcome.ts";
import { type Pass, Turns } from "./turns.ts";

/** One recipient of a message on its way through a pass. */
export interface Recipient {
  readonly address: string;
  /** Where its letter stands in the local or remote file; -1 while the message has none. */
  offset: number;
  state: "pending" | "running" | "delivered" | "failed" | "deferred";
  /** Deliveries whose process died. */
  losses: number;
}

/** Whether nothing is left to do for it: it has the message, or never will. */
export function isDone({ state }: Recipient): boolean {
  return state === "delivered" || state === "failed";
}

/** One delivery: recipients that travel together (several only on the remote channel, all of one domain). */
export interface Job<M> {
  readonly message: M;
  readonly channel: Channel;
  /** Remote: the recipients' domain, lower-cased. Local: "", for there one destination is like the other. */
  readonly destination: string;
  readonly recipients: readonly Recipient[];
}

/** What was added at one time. */
export type Added<M> = Pass<Job<M>>;

/** Recipients of one remote delivery at the most (RFC 5321 §4.5.3.1.8: every server takes 100). */
export const mostTogether = 100;

/** Cuts recipients into deliveries; `together` says whether those of one domain may share one. */
export function jobsOf<M>(message: M, channel: Channel, recipients: readonly Recipient[], together: boolean): Job<M>[] {
  const cutter = new JobCutter(message, channel, together);
  cutter.add(recipients);
  return cutter.jobs;
}

/** {@link jobsOf}, for recipients that come a slice at a time. */
export class JobCutter<M> {
  readonly jobs: Job<M>[] = [];
  readonly #message: M;
  readonly #channel: Channel;
  readonly #together: boolean;
  /** The last delivery of each domain: others may join it. */
  readonly #open = new Map<string, Recipient[]>();

  constructor(message: M, channel: Channel, together: boolean) {
    this.#message = message;
    this.#channel = channel;
    this.#together = channel === "remote" && together;
  }

  add(recipients: readonly Recipient[]): void {
    for (const recipient of recipients) {
      const destination = this.#channel === "local" ? "" : domainOf(recipient.address);
      const group = this.#together ? this.#open.get(destination) : undefined;
      if (group !== undefined && group.length < mostTogether) {
        group.push(recipient);
        continue;
      }
      const fresh = [recipient];
      if (this.#together) this.#open.set(destination, fresh);
      this.jobs.push({ message: this.#message, channel: this.#channel, destination, recipients: fresh });
    }
  }
}

function domainOf(address: string): string {
  return lowerCaseAscii(address.slice(address.lastIndexOf("@") + 1));
}

export class Dispatcher<M> {
  readonly #turns: Readonly<Record<Channel, Turns<Job<M>>>>;

  constructor(limits: Readonly<Record<Channel, number>>) {
    this.#turns = {
      local: new Turns(limits.local, { windows: false }),
      remote: new Turns(limits.remote, { windows: true }),
    };
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
  add(channel: Channel, jobs: readonly Job<M>[]): Added<M> {
    return this.#turns[channel].add(jobs);
  }

  /** Takes back those of them that have not been started. */
  remove(channel: Channel, added: Added<M>): Job<M>[] {
    return this.#turns[channel].remove(added);
  }

  /** The next delivery for which there is a slot, and room at its destination; both are taken. */
  next(): Job<M> | undefined {
    return this.#turns.local.next() ?? this.#turns.remote.next();
  }

  /** Gives a delivery's slot back; `outcome` is what it told about its destination. */
  ended(job: Job<M>, outcome: Outcome): void {
    this.#turns[job.channel].ended(job, outcome);
  }

  /** Starts no remote delivery to `destination` (lower-cased) until it is resumed; all else goes on. */
  pause(destination: string): void {
    this.#turns.remote.pause(destination);
  }

  resume(destination: string): void {
    this.#turns.remote.resume(destination);
  }

  /** Destinations that are paused, with or without deliveries. */
  get paused(): ReadonlySet<string> {
    return this.#turns.remote.paused;
  }

  /** Up to `count` of the remote destinations that have deliveries, busiest first. */
  destinations(count: number): readonly DestinationView[] {
    return this.#turns.remote.view(count);
  }
}
