/**
 * A message's moves between the states that stand on the disk: out of the journal, from its first attempt into info,
 * local and remote (S4 to S5), and out of the queue. Each leaves the queue so that a crash at any point repeats something
 * and loses nothing.
 * @module
 */
import { describeError, log } from "../lib/log/log.ts";
import { Slots } from "../lib/process/slots.ts";
import { type Channel, channels } from "../lib/queue/layout.ts";
import type { Asked } from "./asked.ts";
import type { Bounce } from "./bouncer.ts";
import type { Cleaner } from "./cleaner.ts";
import { isDone, type Recipient } from "./dispatcher.ts";
import type { JournalLink } from "./journal_link.ts";
import type { Message } from "./message.ts";
import type { Reports } from "./reports.ts";
import type { Store } from "./store.ts";

export interface TransitionEvents {
  /** Sends the bounce of a message; false: not now. */
  bounce(bounce: Bounce): Promise<boolean>;
  /** What the client of a message in the layout asked for. Throws what is wrong with its file. */
  asked(id: number, sender: string): Asked | undefined;
  /** A message is no first attempt any more. */
  leftTodo(message: Message): void;
  /** A message is out of the queue. */
  ended(message: Message): void;
  stopping(): boolean;
  nowSeconds(): number;
  /** Settles in a later turn of the event loop. */
  readonly breathe: () => Promise<void>;
}

/** A site that is away puts off thousands of first attempts in one moment: others have their turn in between. */
const movesAtOnce = 8;

/** A full disk, or a qmail-queue that is being restarted: worth another look soon. */
const againMs = 5000;

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, againMs));
}

export class Transitions {
  readonly #store: Store;
  readonly #cleaner: Cleaner;
  readonly #journal: JournalLink;
  readonly #reports: Reports;
  readonly #events: TransitionEvents;
  readonly #moves = new Slots(movesAtOnce);
  /** Bounces sent so far. */
  bounced = 0;

  constructor(store: Store, cleaner: Cleaner, journal: JournalLink, reports: Reports, events: TransitionEvents) {
    this.#store = store;
    this.#cleaner = cleaner;
    this.#journal = journal;
    this.#reports = reports;
    this.#events = events;
  }

  /**
   * From the journal or S4 to S5: what is done is marked so, what failed stands in bounce. Deliveries may run meanwhile;
   * their reports have to wait for the end of it. Tries until the disk takes it, or the process is to end. `prepare`: what
   * has to be done first, and is part of the move for all others.
   */
  moveToSplit(message: Message, prepare?: () => Promise<void>): Promise<void> {
    message.moving ??= this.#moves.run(() => this.#move(message, prepare)).finally(() => message.moving = undefined);
    return message.moving;
  }

  async #move(message: Message, prepare?: () => Promise<void>): Promise<void> {
    if (prepare !== undefined) await prepare();
    if (!await this.#leaveJournal(message)) return;
    if (message.asked !== undefined) await this.#reports.tellNewsSurely(message, message.asked);
    if (!await this.#writeSplit(message)) return;
    await this.#cleaner.clean("todo", message.id);
    message.stage = "split";
    message.bounce = "";
    this.#events.leftTodo(message);
  }

  async #leaveJournal(message: Message): Promise<boolean> {
    while (message.place !== undefined) {
      if (await this.#journal.move(message.place.serial, message.id)) {
        message.place = undefined;
        message.stage = "todo";
      } else {
        log(`warning: unable to move msg ${message.id} out of the journal; will try again later`);
        if (this.#events.stopping()) return false;
        await pause();
      }
    }
    return true;
  }

  async #writeSplit(message: Message): Promise<boolean> {
    const list = (channel: Channel) => message.passes.get(channel)?.recipients ?? [];
    const records = (channel: Channel) =>
      list(channel).map((recipient) => ({ address: recipient.address, done: isDone(recipient) }));
    for (;;) {
      const leftOf = (channel: Channel) => list(channel).filter((recipient) => !isDone(recipient));
      const left: Record<Channel, readonly Recipient[]> = { local: leftOf("local"), remote: leftOf("remote") };
      try {
        const todo = await this.#store.writeSplit(message.id, {
          sender: message.sender,
          birthSeconds: message.birthSeconds,
          recipients: { local: records("local"), remote: records("remote") },
          bounce: message.bounce,
        }, this.#events.breathe);
        for (const channel of channels) {
          left[channel].forEach((recipient, at) => recipient.offset = todo[channel][at]!.offset);
        }
        return true;
      } catch (error) {
        log(`warning: unable to create info/${message.id}: ${describeError(error)}; will try again later`);
        if (this.#events.stopping()) return false;
        await pause();
      }
    }
  }

  /** Out of the journal or S4: nobody is left to deliver to, nothing was written down. */
  async finishFirst(message: Message): Promise<void> {
    message.stage = "ending";
    if (message.place !== undefined) this.#journal.done(message.place.serial);
    else if (!await this.#leaveTodo(message.id)) return;
    this.#events.ended(message);
    this.#events.leftTodo(message);
  }

  /** Out of S4; false: the process is ending before that. */
  async #leaveTodo(id: number): Promise<boolean> {
    if (!this.#store.hasOptions(id)) return await this.#cleaner.clean("done", id);
    if (!await this.#cleaner.clean("todo", id)) return false;
    for (;;) {
      try {
        await this.#store.envelopeGone(id);
        return await this.#cleaner.clean("foop", id);
      } catch (error) {
        log(`warning: trouble finishing msg ${id}: ${describeError(error)}; will try again later`);
        if (this.#events.stopping()) return false;
        await pause();
      }
    }
  }

  /** What is left of a message that nobody knows. */
  async removeAbandoned(id: number): Promise<void> {
    try {
      if (this.#store.hasOptions(id)) await this.#store.envelopeGone(id);
      await this.#cleaner.clean("foop", id);
    } catch (error) {
      log(`warning: trouble removing what is left of msg ${id}: ${describeError(error)}`);
    }
  }

  /** Sends the bounce of a first attempt in which everybody was delivered to or failed; false: not now. */
  async bounceFirst({ id, place, sender, birthSeconds, bounce, asked }: Message): Promise<boolean> {
    if (bounce === "") return true;
    const times = { arrivalSeconds: birthSeconds, failureSeconds: this.#events.nowSeconds() };
    try {
      if (!await this.#events.bounce({ id, place, sender, paragraphs: bounce, asked, ...times })) return false;
    } catch (error) {
      log(`warning: trouble bouncing msg ${id}: ${describeError(error)}; will try again later`);
      return false;
    }
    this.bounced++;
    return true;
  }

  /** Out of S5: its bounce is queued, if it needs one; only then does the rest go. */
  async finishSplit(message: Message): Promise<void> {
    const { id } = message;
    message.stage = "ending";
    try {
      if (message.asked !== undefined && !message.deleted && !await this.#reports.tellNews(message, message.asked)) {
        return this.#finishLater(message);
      }
      const paragraphs = this.#store.readBounce(id);
      if (paragraphs !== "" && !message.deleted) {
        const sender = this.#store.readSender(id);
        if (!sender.ok) throw new Error(`info/${id}: ${sender.error}`);
        const asked = message.asked ?? this.#events.asked(id, sender.value);
        const bounce = {
          id,
          place: undefined,
          sender: sender.value,
          paragraphs,
          asked,
          ...this.#store.bounceTimes(id),
        };
        if (!await this.#events.bounce(bounce)) return this.#finishLater(message);
        this.bounced++;
      }
      // Where the disk was full when a paragraph was to be added, an empty file stands there.
      this.#store.removeBounce(id);
      if (message.deleted) { for (const channel of channels) this.#store.removeChannel(id, channel); }
      const hasOptions = this.#store.hasOptions(id);
      if (hasOptions) this.#store.removeDelayed(id);
      this.#store.removeInfo(id);
      if (hasOptions) await this.#store.envelopeGone(id);
    } catch (error) {
      log(`warning: trouble finishing msg ${id}: ${describeError(error)}; will try again later`);
      return this.#finishLater(message);
    }
    if (await this.#cleaner.clean("foop", id)) this.#events.ended(message);
  }

  #finishLater(message: Message): void {
    if (!this.#events.stopping()) setTimeout(() => void this.finishSplit(message), againMs);
  }
}
