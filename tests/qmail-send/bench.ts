/**
 * A dispatcher under test: `add` messages, `start` what there is room for, `end` deliveries, look at what was started.
 * @module
 */
import { Dispatcher, type Job, jobsOf, pendingRecipient } from "../../components/qmail-send/dispatcher.ts";
import type { Outcome } from "../../components/qmail-send/outcome.ts";

/** One delivery to each of `domains`, in this order. */
export function remoteJobs<M>(message: M, domains: readonly string[]): Job<M>[] {
  return jobsOf(message, "remote", domains.map((domain) => pendingRecipient(`x@${domain}`)), undefined);
}

/** `count` domains, each `times` times, one after the other. */
export function domains(count: number, times = 1, name = "d"): string[] {
  return Array.from({ length: count * times }, (_, n) => `${name}${n % count}`);
}

/** A dispatcher with `remote` slots, and what has been started on it. */
export class Bench<M> {
  readonly dispatcher: Dispatcher<M>;
  readonly started: Job<M>[] = [];
  readonly running: Job<M>[] = [];

  constructor(remote: number) {
    this.dispatcher = new Dispatcher({ local: 1, remote });
  }

  add(message: M, to: readonly string[]): void {
    this.dispatcher.add("remote", remoteJobs(message, to));
  }

  /** Starts all there is room for; tells the destinations. */
  start(): string[] {
    const from = this.started.length;
    for (let job = this.dispatcher.next(); job !== undefined; job = this.dispatcher.next()) {
      this.started.push(job);
      this.running.push(job);
    }
    return this.started.slice(from).map(({ destination }) => destination);
  }

  /** Ends the delivery that has run longest, or the one at `place`. */
  end(outcome: Outcome = "answered", place = 0): Job<M> | undefined {
    const [job] = this.running.splice(place, 1);
    if (job !== undefined) this.dispatcher.ended(job, outcome);
    return job;
  }

  /** Ends deliveries one by one, as answered, until one of `message` has been started; `between` each end and start. */
  runUntilStarted(message: M, between = () => {}): void {
    while (!this.started.some((job) => job.message === message)) {
      const ended = this.end();
      between();
      if (this.start().length === 0 && ended === undefined) throw new Error("nothing runs, and nothing can be started");
    }
  }

  /** Runs everything to its end. */
  drain(outcome: (job: Job<M>) => Outcome = () => "answered"): void {
    do {
      while (this.running.length > 0) {
        const job = this.running.pop()!;
        this.dispatcher.ended(job, outcome(job));
      }
    } while (this.start().length > 0);
  }

  view(name: string) {
    return this.dispatcher.destinations(1000).find((destination) => destination.name === name);
  }
}
