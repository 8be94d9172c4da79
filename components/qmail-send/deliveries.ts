/**
 * Deliveries under way: starts what the dispatcher gives, numbers and logs each, and tells what came of it. A delivery
 * whose process died is made again soon, a few times; after that it counts as a deferral, for the message may be what
 * kills the process.
 * @module
 */
import { log } from "../lib/log/log.ts";
import type { Channel } from "../lib/queue/layout.ts";
import type { DeliveryReport, SpawnReply, Verdict } from "../lib/wire/delivery_protocol.ts";
import { Dispatcher, type Job, type Recipient } from "./dispatcher.ts";
import { deliveryLine, startingLine, statusLine } from "./log_lines.ts";
import type { Message } from "./message.ts";
import { mostLosses, retryAfterLoss } from "./timing.ts";
import { expandVerp } from "./verp.ts";

const tooLong = "I'm not going to try again; this message has been in the queue too long.\n";

export interface DeliveryEvents {
  /** Has one job delivered; `lost` when the process that should do it died. */
  spawn(job: Job<Message>, sender: string): Promise<SpawnReply>;
  /** Writes down what an attempt did for one recipient; sets its state. */
  settle(message: Message, channel: Channel, recipient: Recipient, report: DeliveryReport): Promise<void>;
  /** One job of the message's pass has reported for all its recipients. */
  jobEnded(message: Message, channel: Channel): void;
}

export class Deliveries {
  readonly #dispatcher: Dispatcher<Message>;
  readonly #events: DeliveryEvents;
  readonly counts: Record<Verdict, number> = { K: 0, Z: 0, D: 0 };
  #started = 0;
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

  add(jobs: readonly Job<Message>[]): void {
    this.#dispatcher.add(jobs);
    this.#pump();
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
    log(statusLine(this.running, this.limits, this.#stopping));
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
    const numbers = recipients.map((recipient) => {
      recipient.state = "running";
      log(startingLine(++this.#started, message.id, channel, recipient.address));
      return this.#started;
    });
    this.logStatus();
    const reply = await this.#events.spawn(job, expandVerp(message.sender, recipients[0]?.address ?? ""));
    this.#dispatcher.ended(channel);
    const again: Recipient[] = [];
    for (const [at, recipient] of recipients.entries()) {
      const report = reply.reports[at]!;
      if (reply.lost && ++recipient.losses < mostLosses) {
        log(deliveryLine(numbers[at]!, "Z", report.text));
        recipient.state = "pending";
        again.push(recipient);
        continue;
      }
      const final = message.passes.get(channel)?.dying === true ? lastReport(report) : report;
      log(deliveryLine(numbers[at]!, final.verdict, final.text));
      this.counts[final.verdict]++;
      await this.#events.settle(message, channel, recipient, final);
    }
    this.logStatus();
    if (again.length > 0) this.#repeat({ message, channel, recipients: again });
    else this.#events.jobEnded(message, channel);
    this.#pump();
  }

  #repeat(job: Job<Message>): void {
    const losses = Math.max(...job.recipients.map((recipient) => recipient.losses));
    setTimeout(() => this.add([job]), retryAfterLoss(losses) * 1000);
  }
}

/** Past the message's lifetime a deferral is a failure. */
function lastReport(report: DeliveryReport): DeliveryReport {
  return report.verdict === "Z" ? { verdict: "D", text: report.text + tooLong } : report;
}
