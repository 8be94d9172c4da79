/**
 * The life of every message in the queue, from its notice to its end: this is what moves it through the states of
 * ARCHITECTURE.md. Decisions are the core's (timing, dispatcher, verp, qsbmf); here they meet files and processes.
 *
 * Unlike qmail: the first attempt of a message with up to a hundred recipients runs straight from todo. Only a message
 * that has recipients left after it is written to info, local and remote; most never are.
 * @module
 */
import type { Controls } from "../../config/schema.ts";
import { formatParagraph } from "../lib/dsn/qsbmf.ts";
import { describeError, log } from "../lib/log/log.ts";
import { type Channel, channels } from "../lib/queue/layout.ts";
import { rewriteRecipient, withoutPrefix } from "../lib/queue/rewrite.ts";
import type { DeliveryReport } from "../lib/wire/delivery_protocol.ts";
import type { SendStatus } from "../lib/wire/status_protocol.ts";
import type { Cleaner } from "./cleaner.ts";
import { Deliveries, type DeliveryEvents } from "./deliveries.ts";
import { isDone, jobsOf, type Recipient } from "./dispatcher.ts";
import { infoLine, newLine, unmarkedLine } from "./log_lines.ts";
import { type Message, mostFirstAttempt, mostFresh, newMessage, type Pass } from "./message.ts";
import { RetryTimer } from "./retry_timer.ts";
import type { Store, TodoMessage } from "./store.ts";
import { Suspects } from "./suspects.ts";
import { nextAttempt } from "./timing.ts";
import { type TransitionEvents, Transitions } from "./transitions.ts";
import { wantsVerp } from "./verp.ts";

/** What the manager has done by others. */
export interface Hands {
  readonly spawn: DeliveryEvents["spawn"];
  readonly bounce: TransitionEvents["bounce"];
  nowSeconds(): number;
}

/** Seconds before trouble of our own is tried again. */
const troubleSeconds = 123;

export class Manager {
  readonly #store: Store;
  readonly #cleaner: Cleaner;
  readonly #hands: Hands;
  readonly #deliveries: Deliveries;
  readonly #transitions: Transitions;
  readonly #retries: RetryTimer;
  readonly #messages = new Map<number, Message>();
  /** Noticed while a message of the same number was still ending. */
  readonly #again = new Set<number>();
  /** In todo, not read yet, because enough are under way. */
  readonly #unread = new Set<number>();
  /** In todo, but not readable: they wait to be tried again. */
  readonly #unreadable = new Set<number>();
  readonly #suspects = new Suspects();
  readonly #underWay = new Set<Promise<void>>();
  #controls: Controls;
  #fresh = 0;
  #ended = 0;
  #stopping = false;

  constructor(store: Store, cleaner: Cleaner, hands: Hands, controls: Controls) {
    this.#store = store;
    this.#cleaner = cleaner;
    this.#hands = hands;
    this.#controls = controls;
    this.#deliveries = new Deliveries(limitsOf(controls), {
      spawn: hands.spawn,
      settle: (message, channel, recipient, report) => this.#settle(message, channel, recipient, report),
      jobEnded: (message, channel) => this.#jobEnded(message, channel),
    });
    this.#transitions = new Transitions(store, cleaner, {
      bounce: hands.bounce,
      leftTodo: () => {
        this.#fresh--;
        this.#readMore();
      },
      ended: (message) => this.#end(message),
      stopping: () => this.#stopping,
    });
    this.#retries = new RetryTimer(hands.nowSeconds, ({ id, channel }) => this.#retry(id, channel));
  }

  /** Takes over what a predecessor left in info; todo is looked through when qmail-queue connects, and here. */
  start(): void {
    const todo = new Set(this.#store.listTodo());
    for (const id of todo) this.#store.removeLeftovers(id);
    for (const id of this.#store.listSplit("info")) {
      if (!todo.has(id)) this.#resume(id);
    }
    this.#deliveries.logStatus();
    this.notice([...todo]);
  }

  setControls(controls: Controls): void {
    this.#controls = controls;
    this.#deliveries.setLimits(limitsOf(controls));
  }

  /** These are in todo. */
  notice(ids: readonly number[]): void {
    for (const id of ids) {
      this.#suspects.clear(id);
      if (this.#messages.has(id)) this.#again.add(id);
      else this.#unread.add(id);
    }
    this.#readMore();
  }

  /** Looks through todo: notices may have been lost with a connection. */
  scanTodo(): void {
    this.notice(this.#store.listTodo().filter((id) => !this.#messages.has(id)));
  }

  /** Files in mess that belong to no message known: qmail-queue knows which of them it is writing. */
  suspects(): number[] {
    const known = (id: number) =>
      this.#messages.has(id) || this.#unread.has(id) || this.#store.inTodo(id) || this.#store.hasInfo(id);
    return this.#suspects.begin(this.#store.listSplit("mess").filter((id) => !known(id)));
  }

  /** Of the suspects, these are written by nobody. One that became a message meanwhile is no suspect any more. */
  removeAbandoned(ids: readonly number[]): void {
    for (const id of ids) {
      if (!this.#suspects.take(id) || this.#store.inTodo(id) || this.#store.hasInfo(id)) continue;
      this.#track(this.#cleaner.clean("foop", id).then(() => {}));
    }
  }

  /** SIGALRM. */
  retryAll(): void {
    this.#retries.allDue();
  }

  status(): SendStatus {
    return {
      messages: this.#messages.size + this.#unread.size,
      notPreprocessed: this.#fresh + this.#unread.size,
      waitingForRetry: this.#retries.size,
      running: { ...this.#deliveries.running },
      limits: { ...this.#deliveries.limits },
      delivered: this.#deliveries.counts.K,
      deferred: this.#deliveries.counts.Z,
      failed: this.#deliveries.counts.D,
      bounced: this.#transitions.bounced,
      ended: this.#ended,
    };
  }

  /**
   * Starts nothing new, waits up to `limitMs` for what runs, and writes down what first attempts have achieved, so that
   * an orderly end repeats no delivery.
   */
  async stop(limitMs: number): Promise<void> {
    this.#stopping = true;
    this.#retries.stop();
    this.#deliveries.stop();
    this.#deliveries.logStatus();
    await this.#deliveries.idle(limitMs);
    const begun = [...this.#messages.values()].filter((message) =>
      message.stage === "todo" && this.#hasProgress(message)
    );
    await Promise.all(begun.map((message) => this.#transitions.moveToSplit(message)));
    this.#cleaner.stop();
    await Promise.race([Promise.all(this.#underWay), new Promise((resolve) => setTimeout(resolve, 300))]);
    log("status: exiting");
  }

  // --- a message's beginning

  #resume(id: number): void {
    const times = this.#store.readRetryTimes(id);
    if (times === undefined) return;
    const message = newMessage(id, times.birthSeconds, "", "split");
    this.#messages.set(id, message);
    for (const channel of channels) {
      const atSeconds = times.next[channel];
      if (atSeconds !== undefined) this.#wait(message, channel, atSeconds);
    }
    if (message.waiting.size === 0) this.#track(this.#transitions.finishSplit(message));
  }

  #readMore(): void {
    for (const id of this.#unread) {
      if (this.#stopping || this.#fresh >= mostFresh) return;
      this.#unread.delete(id);
      this.#read(id);
    }
  }

  #read(id: number): void {
    let read: ReturnType<Store["readTodo"]>;
    try {
      read = this.#store.readTodo(id);
    } catch (error) {
      read = { ok: false, error: describeError(error) };
    }
    if (read === undefined) return;
    if (!read.ok) {
      log(`warning: unable to read todo/${id}: ${read.error}; will try again later`);
      // However often it is noticed until then, it is tried again once.
      if (this.#unreadable.has(id)) return;
      this.#unreadable.add(id);
      setTimeout(() => {
        this.#unreadable.delete(id);
        this.notice([id]);
      }, troubleSeconds * 1000);
      return;
    }
    this.#begin(id, read.value);
  }

  #begin(id: number, { sender, birthSeconds, sizeBytes, qp, uid, recipients }: TodoMessage): void {
    const message = newMessage(id, birthSeconds, sender, "todo");
    this.#messages.set(id, message);
    this.#fresh++;
    log(newLine(id));
    log(infoLine(id, sizeBytes, sender, qp, uid));
    const routed: Record<Channel, Recipient[]> = { local: [], remote: [] };
    for (const recipient of recipients) {
      const { channel, address } = rewriteRecipient(recipient, this.#controls);
      routed[channel].push({ address, offset: -1, state: "pending", losses: 0 });
    }
    for (const channel of channels) this.#addPass(message, channel, routed[channel]);
    if (recipients.length > mostFirstAttempt) {
      this.#track(this.#transitions.moveToSplit(message).then(() => this.#startPasses(message)));
    } else if (recipients.length === 0) this.#track(this.#transitions.finishTodo(message));
    else this.#startPasses(message);
  }

  #addPass(message: Message, channel: Channel, recipients: readonly Recipient[]): void {
    if (recipients.length === 0) return;
    const now = this.#hands.nowSeconds();
    message.passes.set(channel, {
      recipients,
      left: 0,
      dying: now > message.birthSeconds + this.#controls.queuelifetime,
      nextSeconds: nextAttempt(message.birthSeconds, now, channel),
    });
  }

  #startPasses(message: Message): void {
    for (const [channel, pass] of message.passes) this.#startPass(message, channel, pass);
  }

  #startPass(message: Message, channel: Channel, pass: Pass): void {
    const jobs = jobsOf(message, channel, pass.recipients, !wantsVerp(message.sender));
    pass.left = jobs.length;
    this.#deliveries.add(jobs);
  }

  // --- deliveries

  /** Writes down what an attempt did for one recipient. */
  async #settle(message: Message, channel: Channel, recipient: Recipient, report: DeliveryReport): Promise<void> {
    const { verdict, text } = report;
    if (verdict === "Z") {
      recipient.state = "deferred";
      return;
    }
    const paragraph = verdict === "D"
      ? formatParagraph(withoutPrefix(recipient.address, this.#controls.virtualdomains), text)
      : "";
    try {
      if (message.stage === "split") {
        if (paragraph !== "") await this.#store.appendBounce(message.id, paragraph);
        this.#store.markDone(message.id, channel, recipient.offset);
      } else {
        message.bounce += paragraph;
      }
      recipient.state = verdict === "K" ? "delivered" : "failed";
    } catch (error) {
      log(unmarkedLine(channel, message.id, describeError(error)));
      recipient.state = "deferred";
    }
  }

  #jobEnded(message: Message, channel: Channel): void {
    const pass = message.passes.get(channel)!;
    if (--pass.left === 0) this.#track(this.#endPass(message, channel, pass));
  }

  // --- the end of an attempt

  async #endPass(message: Message, channel: Channel, pass: Pass): Promise<void> {
    if (message.stage === "split") return this.#endSplitPass(message, channel, pass);
    if ([...message.passes.values()].some((other) => other.left > 0)) return;
    const everyone = [...message.passes.values()].flatMap((other) => other.recipients);
    if (message.bounce === "" && everyone.every((recipient) => recipient.state === "delivered")) {
      return this.#transitions.finishTodo(message);
    }
    if (!this.#stopping) await this.#transitions.moveToSplit(message);
    for (const [ended, endedPass] of [...message.passes]) await this.#endSplitPass(message, ended, endedPass);
  }

  async #endSplitPass(message: Message, channel: Channel, pass: Pass): Promise<void> {
    if (this.#stopping) return;
    message.passes.delete(channel);
    try {
      if (pass.recipients.some((recipient) => recipient.state === "deferred")) {
        this.#store.setNextAttempt(message.id, channel, pass.nextSeconds);
        this.#wait(message, channel, pass.nextSeconds);
      } else {
        this.#store.removeChannel(message.id, channel);
      }
    } catch (error) {
      log(`warning: trouble with ${channel}/${message.id}: ${describeError(error)}; will try again later`);
      this.#wait(message, channel, this.#hands.nowSeconds() + troubleSeconds);
    }
    if (message.passes.size === 0 && message.waiting.size === 0) await this.#transitions.finishSplit(message);
  }

  #wait(message: Message, channel: Channel, atSeconds: number): void {
    message.waiting.add(channel);
    this.#retries.add({ atSeconds, id: message.id, channel });
  }

  #hasProgress(message: Message): boolean {
    return [...message.passes.values()].some((pass) => pass.recipients.some(isDone));
  }

  #end(message: Message): void {
    this.#ended++;
    log(`end msg ${message.id}`);
    this.#messages.delete(message.id);
    if (this.#again.delete(message.id)) this.notice([message.id]);
  }

  // --- retries

  #retry(id: number, channel: Channel): void {
    const message = this.#messages.get(id);
    if (message?.waiting.delete(channel) === true) this.#beginRetry(message, channel);
  }

  #beginRetry(message: Message, channel: Channel): void {
    try {
      const sender = this.#store.readSender(message.id);
      const records = this.#store.readChannel(message.id, channel);
      if (!sender.ok) throw new Error(`info/${message.id}: ${sender.error}`);
      if (!records.ok) throw new Error(`${channel}/${message.id}: ${records.error}`);
      message.sender = sender.value;
      const recipients = records.value.map(({ address, offset }): Recipient => ({
        address,
        offset,
        state: "pending",
        losses: 0,
      }));
      this.#addPass(message, channel, recipients);
      const pass = message.passes.get(channel);
      if (pass !== undefined) this.#startPass(message, channel, pass);
      else this.#track(this.#endSplitPass(message, channel, { recipients, left: 0, dying: false, nextSeconds: 0 }));
    } catch (error) {
      log(`warning: trouble reading msg ${message.id}: ${describeError(error)}; will try again later`);
      this.#wait(message, channel, this.#hands.nowSeconds() + troubleSeconds);
    }
  }

  // --- common

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }
}

function limitsOf(controls: Controls): Readonly<Record<Channel, number>> {
  return { local: controls.concurrencylocal, remote: controls.concurrencyremote };
}
