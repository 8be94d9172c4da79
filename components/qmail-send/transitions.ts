/**
 * A message's moves between the states that stand on the disk: from its first attempt into info, local and remote (S4 to
 * S5), and out of the queue. Each leaves the queue so that a crash at any point repeats something and loses nothing.
 * @module
 */
import { describeError, log } from "../lib/log/log.ts";
import { type Channel, channels } from "../lib/queue/layout.ts";
import type { Cleaner } from "./cleaner.ts";
import { isDone, type Recipient } from "./dispatcher.ts";
import { unmarkedLine } from "./log_lines.ts";
import type { Message } from "./message.ts";
import type { Store } from "./store.ts";

export interface TransitionEvents {
  /** Sends the bounce of a message; false: not now. */
  bounce(id: number, sender: string, paragraphs: string): Promise<boolean>;
  /** A message has left todo. */
  leftTodo(): void;
  /** A message is out of the queue. */
  ended(message: Message): void;
  stopping(): boolean;
}

/** A full disk, or a qmail-queue that is being restarted: worth another look soon. */
const againMs = 5000;

export class Transitions {
  readonly #store: Store;
  readonly #cleaner: Cleaner;
  readonly #events: TransitionEvents;
  /** Bounces sent so far. */
  bounced = 0;

  constructor(store: Store, cleaner: Cleaner, events: TransitionEvents) {
    this.#store = store;
    this.#cleaner = cleaner;
    this.#events = events;
  }

  /** From S4 to S5: what is done is marked so, what failed stands in bounce. Tries until the disk takes it. */
  moveToSplit(message: Message): Promise<void> {
    message.moving ??= this.#writeAndClean(message).finally(() => message.moving = undefined);
    return message.moving;
  }

  async #writeAndClean(message: Message): Promise<void> {
    const list = (channel: Channel) => message.passes.get(channel)?.recipients ?? [];
    const records = (channel: Channel) =>
      list(channel).map((recipient) => ({ address: recipient.address, done: isDone(recipient) }));
    let left: Record<Channel, Recipient[]>;
    for (;;) {
      // At an orderly end reports still come while this is written: places belong to who was left at its beginning.
      const leftOf = (channel: Channel) => list(channel).filter((recipient) => !isDone(recipient));
      left = { local: leftOf("local"), remote: leftOf("remote") };
      try {
        const todo = await this.#store.writeSplit(message.id, {
          sender: message.sender,
          birthSeconds: message.birthSeconds,
          recipients: { local: records("local"), remote: records("remote") },
          bounce: message.bounce,
        });
        for (const channel of channels) {
          left[channel].forEach((recipient, at) => recipient.offset = todo[channel][at]!.offset);
        }
        break;
      } catch (error) {
        log(`warning: unable to create info/${message.id}: ${describeError(error)}; will try again later`);
        if (this.#events.stopping()) return;
        await new Promise((resolve) => setTimeout(resolve, againMs));
      }
    }
    await this.#cleaner.clean("todo", message.id);
    message.stage = "split";
    message.bounce = "";
    for (const channel of channels) this.#markDelivered(message, channel, left[channel]);
    this.#events.leftTodo();
  }

  /** Those of `recipients` that were delivered while the files were written without that. */
  #markDelivered(message: Message, channel: Channel, recipients: readonly Recipient[]): void {
    try {
      for (const { state, offset } of recipients) {
        if (state === "delivered") this.#store.markDone(message.id, channel, offset);
      }
    } catch (error) {
      log(unmarkedLine(channel, message.id, describeError(error)));
    }
  }

  /** Out of S4: every recipient has it, nothing was written down. */
  async finishTodo(message: Message): Promise<void> {
    message.stage = "ending";
    if (!await this.#cleaner.clean("done", message.id)) return;
    this.#events.ended(message);
    this.#events.leftTodo();
  }

  /** Out of S5: its bounce is queued, if it needs one; only then does the rest go. */
  async finishSplit(message: Message): Promise<void> {
    try {
      const paragraphs = this.#store.readBounce(message.id);
      if (paragraphs !== "") {
        const sender = this.#store.readSender(message.id);
        if (!sender.ok) throw new Error(`info/${message.id}: ${sender.error}`);
        if (!await this.#events.bounce(message.id, sender.value, paragraphs)) return this.#finishLater(message);
        this.bounced++;
      }
      // Where the disk was full when a paragraph was to be added, an empty file stands there.
      this.#store.removeBounce(message.id);
      this.#store.removeInfo(message.id);
    } catch (error) {
      log(`warning: trouble finishing msg ${message.id}: ${describeError(error)}; will try again later`);
      return this.#finishLater(message);
    }
    if (await this.#cleaner.clean("foop", message.id)) this.#events.ended(message);
  }

  #finishLater(message: Message): void {
    if (!this.#events.stopping()) setTimeout(() => void this.finishSplit(message), againMs);
  }
}
