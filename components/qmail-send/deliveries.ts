/**
 * Deliveries under way: starts what the dispatcher gives, numbers and logs each, and tells what came of it. A delivery
 * whose process died is made again soon, a few times; after that it counts as a deferral, for the message may be what
 * kills the process.
 * @module
 */
import type { Channel } from "../lib/queue/layout.ts";
import type { DeliveryReport, SpawnReply, Verdict } from "../lib/wire/delivery_protocol.ts";
import type { DestinationView } from "./destinations.ts";
import { type Added, Dispatcher, type Job, type Recipient } from "./dispatcher.ts";
import { logMail } from "./log_lines.ts";
import type { Message } from "./message.ts";
import { outcomeOf } from "./outcome.ts";
import { mostLosses, retryAfterLoss } from "./timing.ts";
import { expandVerp } from "./verp.ts";

/** Reports of so many recipients are worth a turn of the event loop of their own. */
const manyRecipients = 10;
/** While others have mail, such turns come no sooner after each other: a bulk message must not have the whole machine. */
const courtesyMs = 8;
/** Others have mail for so long after a delivery to few. */
const othersMs = 1000;
const tooLong = "I'm not going to try again; this message has been in the queue too long.\n";

/** What an attempt did for one recipient. */
export interface Settled {
  readonly recipient: Recipient;
  readonly report: DeliveryReport;
}

export interface DeliveryEvents {
  /** Has one job delivered; `lost` when the process that should do it died. */
  spawn(job: Job<Message>, sender: string): Promise<SpawnReply>;
  /** Writes down what an attempt did; sets the recipients' states. */
  settle(message: Message, channel: Channel, settled: readonly Settled[]): Promise<void> | undefined;
  /** Settles in a later turn of the event loop, `ms` from now. */
  breathe(ms?: number): Promise<void>;
  /** One job of the message's pass has reported for all its recipients. */
  jobEnded(message: Message, channel: Channel): void;
}

export class Deliveries {
  readonly #dispatcher: Dispatcher<Message>;
  readonly #events: DeliveryEvents;
  readonly counts: Record<Verdict, number> = { K: 0, Z: 0, D: 0 };
  #started = 0;
  #turns: Promise<void> = Promise.resolve();
  /** When a delivery to few was started last. */
  #othersAtMs = -Infinity;
  #stopping = false;

  constructor(limits: Readonly<Record<Channel, number>>, events: DeliveryEvents) {
    this.#dispatcher = new Dispatcher(limits);
    this.#events = events;
  }

  get running(): Readonly<Record<Channel, number>> {
    return this.#dispatcher.running;
  }

  get limits(): Readonly<Record<Channel, number>> {
    return this.#dispatcher.limits;
  }

  setLimits(limits: Readonly<Record<Channel, number>>): void {
    this.#dispatcher.setLimits(limits);
    this.#pump();
  }

  /** Adds one message's deliveries of one channel. */
  add(channel: Channel, jobs: readonly Job<Message>[]): Added<Message> {
    const added = this.#dispatcher.add(channel, jobs);
    this.#pump();
    return added;
  }

  /** Takes back those of them that have not been started. */
  remove(channel: Channel, added: Added<Message>): Job<Message>[] {
    return this.#dispatcher.remove(channel, added);
  }

  /** Starts no remote delivery to `destination` (lower-cased) until it is resumed. */
  pause(destination: string): void {
    this.#dispatcher.pause(destination);
  }

  resume(destination: string): void {
    this.#dispatcher.resume(destination);
    this.#pump();
  }

  get paused(): ReadonlySet<string> {
    return this.#dispatcher.paused;
  }

  /** Up to `count` of the remote destinations that have deliveries, busiest first. */
  destinations(count: number): readonly DestinationView[] {
    return this.#dispatcher.destinations(count);
  }

  /** Starts no more. */
  stop(): void {
    this.#stopping = true;
  }

  /** Settles when nothing runs any more, or after `limitMs`. */
  async idle(limitMs: number): Promise<void> {
    const end = Date.now() + limitMs;
    while (Date.now() < end && (this.running.local > 0 || this.running.remote > 0)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  logStatus(): void {
    logMail({ event: "status", running: this.running, limits: this.limits, exiting: this.#stopping });
  }

  #pump(): void {
    while (!this.#stopping) {
      const job = this.#dispatcher.next();
      if (job === undefined) return;
      void this.#run(job);
    }
  }

  async #run(job: Job<Message>): Promise<void> {
    const { message, channel, recipients } = job;
    if (recipients.length < manyRecipients) this.#othersAtMs = performance.now();
    const numbers = recipients.map((recipient) => {
      recipient.state = "running";
      const delivery = ++this.#started;
      logMail({ event: "starting", delivery, msg: message.id, channel, to: recipient.address });
      return delivery;
    });
    this.logStatus();
    const reply = await this.#events.spawn(job, expandVerp(message.sender, recipients[0]?.address ?? ""));
    this.#dispatcher.ended(job, outcomeOf(reply));
    // The report waits for that to end, others need not.
    if (message.moving !== undefined) this.#pump();
    const tell = (at: number, { address: to }: Recipient, { verdict, text }: DeliveryReport) => {
      logMail({ event: "delivery", delivery: numbers[at]!, msg: message.id, channel, to, verdict, report: text });
    };
    // Twenty transactions of a large message may end at one time: others want their turn in between.
    if (recipients.length >= manyRecipients) await this.#turn();
    const again: Recipient[] = [];
    const settled: Settled[] = [];
    for (const [at, recipient] of recipients.entries()) {
      const report = reply.reports[at]!;
      if (reply.lost && ++recipient.losses < mostLosses) {
        tell(at, recipient, { verdict: "Z", text: report.text });
        recipient.state = "pending";
        again.push(recipient);
        continue;
      }
      const final = message.passes.get(channel)?.dying === true ? lastReport(report) : report;
      tell(at, recipient, final);
      this.counts[final.verdict]++;
      settled.push({ recipient, report: final });
    }
    const written = this.#events.settle(message, channel, settled);
    if (written !== undefined) await written;
    this.logStatus();
    if (again.length > 0) this.#repeat({ ...job, recipients: again });
    else this.#events.jobEnded(message, channel);
    this.#pump();
  }

  /** Settles in a turn of the event loop in which it does for nobody else who asked. */
  #turn(): Promise<void> {
    this.#turns = this.#turns.then(() =>
      this.#events.breathe(performance.now() - this.#othersAtMs < othersMs ? courtesyMs : 0)
    );
    return this.#turns;
  }

  #repeat(job: Job<Message>): void {
    const losses = Math.max(...job.recipients.map((recipient) => recipient.losses));
    setTimeout(() => void this.add(job.channel, [job]), retryAfterLoss(losses) * 1000);
  }
}

/** Past the message's lifetime a deferral is a failure. */
function lastReport(report: DeliveryReport): DeliveryReport {
  return report.verdict === "Z" ? { verdict: "D", text: report.text + tooLong } : report;
}
