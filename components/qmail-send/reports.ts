/**
 * Reports that tell a sender of no failure (RFC 3461 §4.1: NOTIFY with SUCCESS or DELAY): when they are due, and that each
 * is queued before what it tells is written down or forgotten. So a crash may send one twice, and an orderly end none.
 * Only a crash while qmail-queue is away, after the wait for it has ended a message's attempt, can lose one of a success.
 * @module
 */
import type { Controls } from "../../config/schema.ts";
import type { ReportedRecipient } from "../lib/dsn/report.ts";
import { describeError, log } from "../lib/log/log.ts";
import { channels } from "../lib/queue/layout.ts";
import type { JournalPlace } from "../lib/wire/queue_protocol.ts";
import type { Asked } from "./asked.ts";
import type { Message } from "./message.ts";
import type { Store } from "./store.ts";
import { expirySeconds } from "./timing.ts";

/** One report, as it is to be sent. */
export interface StatusReport {
  readonly kind: "success" | "delay";
  readonly id: number;
  /** Where the message stands in the journal; undefined: in mess. */
  readonly place: JournalPlace | undefined;
  /** As in info: may ask for VERP. */
  readonly sender: string;
  readonly recipients: readonly ReportedRecipient[];
  readonly envid: string | undefined;
  /** Of the message's birth, and of the end of its lifetime; seconds since 1970. */
  readonly arrivalSeconds: number;
  readonly retryUntilSeconds: number;
}

export interface ReportEvents {
  /** Sends one; false: not now. */
  report(report: StatusReport): Promise<boolean>;
  controls(): Pick<Controls, "delaywarnseconds" | "queuelifetime" | "bouncelifetime">;
  nowSeconds(): number;
  stopping(): boolean;
}

/** A qmail-queue that is being restarted: worth another try soon. */
const againMs = 5000;

export class Reports {
  readonly #store: Store;
  readonly #events: ReportEvents;

  constructor(store: Store, events: ReportEvents) {
    this.#store = store;
    this.#events = events;
  }

  /** Tells of those that have the message since the last time; false: not now. */
  async tellNews(message: Message, asked: Asked): Promise<boolean> {
    if (!asked.hasNews) return true;
    const news = asked.takeNews();
    const told = await this.#send("success", message, asked, news);
    if (!told) asked.putNewsBack(news);
    return told;
  }

  /** The same, until it has been told, or the process is to end. */
  async tellNewsSurely(message: Message, asked: Asked): Promise<void> {
    while (!await this.tellNews(message, asked)) {
      if (this.#events.stopping()) return;
      await new Promise((resolve) => setTimeout(resolve, againMs));
    }
  }

  /** An attempt has left recipients that wait for the next: their sender is told once, when the message is late. */
  async tellDelay(message: Message, asked: Asked): Promise<void> {
    const { id, birthSeconds } = message;
    if (!asked.tellsDelays) return;
    if (this.#events.nowSeconds() < birthSeconds + this.#events.controls().delaywarnseconds) return;
    try {
      if (this.#store.isNotedDelayed(id)) return;
      const late = channels.flatMap((channel) => {
        const left = this.#store.readChannel(id, channel);
        const addresses = left.ok ? left.value.map(({ address }) => address) : [];
        return addresses.filter((address) => asked.tellsDelay(channel, address))
          .map((address) => asked.deferred(channel, address));
      });
      // Not now: the next attempt is an occasion as good as this.
      if (late.length > 0 && await this.#send("delay", message, asked, late)) this.#store.noteDelayed(id);
    } catch (error) {
      log(`warning: trouble reporting a delay of msg ${id}: ${describeError(error)}`);
    }
  }

  async #send(
    kind: StatusReport["kind"],
    { id, place, sender, birthSeconds }: Message,
    { options: { envid } }: Asked,
    recipients: readonly ReportedRecipient[],
  ): Promise<boolean> {
    const retryUntilSeconds = expirySeconds({ birthSeconds, sender }, this.#events.controls());
    try {
      return await this.#events.report({
        ...{ kind, id, place, sender, recipients, envid },
        ...{ arrivalSeconds: birthSeconds, retryUntilSeconds },
      });
    } catch (error) {
      // Its text cannot be read: neither can it be a moment later.
      log(`warning: trouble reporting on msg ${id}: ${describeError(error)}; its sender is not told`);
      return true;
    }
  }
}
