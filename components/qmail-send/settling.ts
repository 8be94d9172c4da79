/**
 * Writes down what an attempt did: a paragraph for who failed, a letter for who is done. The paragraph is on stable storage
 * before the letter says that nothing is left to do for its recipient.
 * @module
 */
import { formatParagraph } from "../lib/dsn/qsbmf.ts";
import { describeError, log } from "../lib/log/log.ts";
import type { Channel } from "../lib/queue/layout.ts";
import { type RewriteRules, withoutPrefix } from "../lib/queue/rewrite.ts";
import type { Settled } from "./deliveries.ts";
import { unmarkedLine } from "./log_lines.ts";
import type { Message } from "./message.ts";
import type { Reports } from "./reports.ts";
import { heldSeconds } from "../lib/queue/held.ts";
import type { Store } from "./store.ts";

export class Settling {
  readonly #store: Store;
  readonly #reports: Reports;
  readonly #virtualdomains: () => RewriteRules["virtualdomains"];

  constructor(store: Store, reports: Reports, virtualdomains: () => RewriteRules["virtualdomains"]) {
    this.#store = store;
    this.#reports = reports;
    this.#virtualdomains = virtualdomains;
  }

  /** Sets the recipients' states; a promise where something has to be waited for. */
  settle(message: Message, channel: Channel, settled: readonly Settled[]): Promise<void> | undefined {
    const { asked } = message;
    asked?.note(channel, settled);
    const failed = settled.some(({ report }) => report.verdict === "D");
    // What is being written was decided without this report.
    if (message.moving !== undefined || (message.stage === "split" && (failed || asked?.hasNews === true))) {
      return this.#settleSlowly(message, channel, settled);
    }
    this.#settleNow(message, channel, settled);
    return undefined;
  }

  async #settleSlowly(message: Message, channel: Channel, settled: readonly Settled[]): Promise<void> {
    if (message.moving !== undefined) await message.moving;
    if (message.stage !== "split") return this.#settleNow(message, channel, settled);
    // A letter says that nothing is left to do, be it to tell somebody; what cannot be told now is told before it rests.
    if (message.asked !== undefined) await this.#reports.tellNews(message, message.asked);
    const written: Settled[] = [];
    for (const one of settled) {
      try {
        const paragraph = this.#paragraphOf(message, channel, one);
        if (paragraph !== "") await this.#store.appendBounce(message.id, paragraph);
        written.push(one);
      } catch (error) {
        log(unmarkedLine(channel, message.id, describeError(error)));
        one.recipient.state = "deferred";
      }
    }
    this.#settleNow(message, channel, written);
  }

  /** What failed stands in bounce, where the message has one. */
  #settleNow(message: Message, channel: Channel, settled: readonly Settled[]): void {
    const done = settled.filter(({ report }) => report.verdict !== "Z");
    for (const { recipient, report } of settled) {
      recipient.state = report.verdict === "Z" ? "deferred" : report.verdict === "K" ? "delivered" : "failed";
    }
    if (message.stage !== "split") {
      for (const one of done) message.bounce += this.#paragraphOf(message, channel, one);
      return;
    }
    if (done.length === 0) return;
    try {
      this.#store.markDone(message.id, channel, done.map(({ recipient }) => recipient.offset));
      // To overwrite a letter makes the file a new one; a message that is held stays so.
      const nextSeconds = message.passes.get(channel)?.nextSeconds ?? 0;
      if (nextSeconds >= heldSeconds) this.#store.setNextAttempt(message.id, channel, nextSeconds);
    } catch (error) {
      log(unmarkedLine(channel, message.id, describeError(error)));
      for (const { recipient } of done) recipient.state = "deferred";
    }
  }

  #paragraphOf({ asked }: Message, channel: Channel, { recipient, report }: Settled): string {
    if (report.verdict !== "D" || asked?.tellsFailure(channel, recipient.address) === false) return "";
    return formatParagraph(withoutPrefix(recipient.address, this.#virtualdomains()), report.text);
  }
}
