/**
 * Which delivery starts next. Every message with deliveries to make has one pass per channel; passes take turns, one
 * delivery each, so that a message with a hundred thousand recipients delays nobody else's by more than a turn.
 * @module
 */
import { lowerCaseAscii } from "../lib/address/parse_domain.ts";
import { type Channel, channels } from "../lib/queue/layout.ts";

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
  readonly recipients: readonly Recipient[];
}

/** Recipients of one remote delivery at the most (RFC 5321 §4.5.3.1.8: every server takes 100). */
export const mostTogether = 100;

/** Cuts recipients into deliveries; `together` says whether those of one domain may share one. */
export function jobsOf<M>(message: M, channel: Channel, recipients: readonly Recipient[], together: boolean): Job<M>[] {
  if (channel === "local" || !together) {
    return recipients.map((recipient) => ({ message, channel, recipients: [recipient] }));
  }
  const jobs: Job<M>[] = [];
  const open = new Map<string, Recipient[]>();
  for (const recipient of recipients) {
    const domain = lowerCaseAscii(recipient.address.slice(recipient.address.lastIndexOf("@") + 1));
    const group = open.get(domain);
    if (group !== undefined && group.length < mostTogether) {
      group.push(recipient);
      continue;
    }
    const fresh = [recipient];
    open.set(domain, fresh);
    jobs.push({ message, channel, recipients: fresh });
  }
  return jobs;
}

/** A queue of passes that are served in turn. */
class Turns<M> {
  // A ring would do; two stacks keep every step constant without an index to wrap.
  #front: Job<M>[][] = [];
  #back: Job<M>[][] = [];

  add(jobs: readonly Job<M>[]): void {
    if (jobs.length > 0) this.#back.push([...jobs].reverse());
  }

  take(): Job<M> | undefined {
    if (this.#front.length === 0) {
      this.#front = this.#back.reverse();
      this.#back = [];
    }
    const jobs = this.#front.pop();
    const job = jobs?.pop();
    if (jobs !== undefined && jobs.length > 0) this.#back.push(jobs);
    return job;
  }
}

export class Dispatcher<M> {
  readonly #turns: Readonly<Record<Channel, Turns<M>>> = { local: new Turns(), remote: new Turns() };
  readonly #running: Record<Channel, number> = { local: 0, remote: 0 };
  #limits: Readonly<Record<Channel, number>>;

  constructor(limits: Readonly<Record<Channel, number>>) {
    this.#limits = limits;
  }

  get running(): Readonly<Record<Channel, number>> {
    return this.#running;
  }

  get limits(): Readonly<Record<Channel, number>> {
    return this.#limits;
  }

  setLimits(limits: Readonly<Record<Channel, number>>): void {
    this.#limits = limits;
  }

  /** Adds deliveries of one message; they take turns with those of others. */
  add(jobs: readonly Job<M>[]): void {
    for (const channel of channels) this.#turns[channel].add(jobs.filter((job) => job.channel === channel));
  }

  /** The next delivery for which there is a slot; the slot is taken. */
  next(): Job<M> | undefined {
    for (const channel of channels) {
      if (this.#running[channel] >= this.#limits[channel]) continue;
      const job = this.#turns[channel].take();
      if (job === undefined) continue;
      this.#running[channel]++;
      return job;
    }
    return undefined;
  }

  /** Gives a slot back. */
  ended(channel: Channel): void {
    this.#running[channel]--;
  }
}
