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
import type { DeliveryReport, SpawnReply } from "../lib/wire/delivery_protocol.ts";
import type { SendStatus } from "../lib/wire/status_protocol.ts";
import type { Cleaner } from "./cleaner.ts";
import { Dispatcher, type Job, jobsOf, type Recipient } from "./dispatcher.ts";
import { deliveryLine, infoLine, newLine, startingLine, statusLine } from "./log_lines.ts";
import { type Message, mostFirstAttempt, mostFresh, type Pass } from "./message.ts";
import { RetryQueue } from "./retry_queue.ts";
import type { Store, TodoMessage } from "./store.ts";
import { mostLosses, nextAttempt, retryAfterLoss } from "./timing.ts";
import { expandVerp, wantsVerp } from "./verp.ts";

/** What the manager has done by others. */
export interface Hands {
  /** Has one job delivered; `lost` when the process that should do it died. */
  spawn(job: Job<Message>, sender: string): Promise<SpawnReply>;
  /** Sends the bounce of a message, if it needs one; false: not now. */
  bounce(id: number, sender: string, paragraphs: string): Promise<boolean>;
  nowSeconds(): number;
}

/** Seconds before trouble of our own is tried again. */
const troubleSeconds = 123;
const tooLong = "I'm not going to try again; this message has been in the queue too long.\n";

export class Manager {
  readonly #store: Store;
  readonly #cleaner: Cleaner;
  readonly #hands: Hands;
  readonly #dispatcher: Dispatcher<Message>;
  readonly #retries = new RetryQueue();
  readonly #messages = new Map<number, Message>();
  /** Noticed while a message of the same number was still ending. */
  readonly #again = new Set<number>();
  /** In todo, not read yet, because enough are under way. */
  readonly #unread = new Set<number>();
  /** Files in mess that may be abandoned, while qmail-queue is asked about them. */
  #suspects = new Set<number>();
  readonly #underWay = new Set<Promise<void>>();
  #controls: Controls;
  #fresh = 0;
  #deliveries = 0;
  #stopping = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #counts = { delivered: 0, deferred: 0, failed: 0, bounced: 0, ended: 0 };

  constructor(store: Store, cleaner: Cleaner, hands: Hands, controls: Controls) {
    this.#store = store;
    this.#cleaner = cleaner;
    this.#hands = hands;
    this.#controls = controls;
    this.#dispatcher = new Dispatcher(limitsOf(controls));
  }

  /** Takes over what a predecessor left in info; todo is looked through when qmail-queue connects, and here. */
  start(): void {
    const todo = new Set(this.#store.listTodo());
    for (const id of todo) this.#store.removeLeftovers(id);
    for (const id of this.#store.listSplit("info")) {
      if (!todo.has(id)) this.#resume(id);
    }
    log(this.#status());
    this.notice([...todo]);
    this.#schedule();
  }

  setControls(controls: Controls): void {
    this.#controls = controls;
    this.#dispatcher.setLimits(limitsOf(controls));
    this.#pump();
  }

  /** These are in todo. */
  notice(ids: readonly number[]): void {
    for (const id of ids) {
      this.#suspects.delete(id);
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
    this.#suspects = new Set(this.#store.listSplit("mess").filter((id) => !known(id)));
    return [...this.#suspects];
  }

  /** Of the suspects, these are written by nobody. One that became a message meanwhile is no suspect any more. */
  removeAbandoned(ids: readonly number[]): void {
    for (const id of ids) {
      if (!this.#suspects.delete(id) || this.#store.inTodo(id) || this.#store.hasInfo(id)) continue;
      this.#track(this.#cleaner.clean("foop", id).then(() => {}));
    }
  }

  /** SIGALRM. */
  retryAll(): void {
    this.#retries.allDue(this.#hands.nowSeconds());
    this.#schedule();
  }

  status(): SendStatus {
    return {
      messages: this.#messages.size + this.#unread.size,
      notPreprocessed: this.#fresh + this.#unread.size,
      waitingForRetry: this.#retries.size,
      running: { ...this.#dispatcher.running },
      limits: { ...this.#dispatcher.limits },
      ...this.#counts,
    };
  }

  /**
   * Starts nothing new, waits up to `limitMs` for what runs, and writes down what first attempts have achieved, so that
   * an orderly end repeats no delivery.
   */
  async stop(limitMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    log(this.#status());
    const end = Date.now() + limitMs;
    while (Date.now() < end && (this.#dispatcher.running.local > 0 || this.#dispatcher.running.remote > 0)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const begun = [...this.#messages.values()].filter((message) =>
      message.stage === "todo" && this.#hasProgress(message)
    );
    await Promise.all(begun.map((message) => this.#moveToSplit(message)));
    this.#cleaner.stop();
    await Promise.race([Promise.all(this.#underWay), new Promise((resolve) => setTimeout(resolve, 300))]);
    log("status: exiting");
  }

  // --- a message's beginning

  #resume(id: number): void {
    const times = this.#store.readRetryTimes(id);
    if (times === undefined) return;
    const waiting = new Set(channels.filter((channel) => times.next[channel] !== undefined));
    const message: Message = {
      id,
      birthSeconds: times.birthSeconds,
      sender: "",
      stage: "split",
      moving: undefined,
      passes: new Map(),
      waiting,
      bounce: "",
    };
    this.#messages.set(id, message);
    for (const channel of waiting) this.#retries.add({ atSeconds: times.next[channel]!, id, channel });
    if (waiting.size === 0) this.#track(this.#finishSplit(message));
  }

  #readMore(): void {
    for (const id of this.#unread) {
      if (this.#stopping || this.#fresh >= mostFresh) return;
      this.#unread.delete(id);
      this.#read(id);
    }
    this.#pump();
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
      setTimeout(() => this.notice([id]), troubleSeconds * 1000);
      return;
    }
    this.#begin(id, read.value);
  }

  #begin(id: number, { sender, birthSeconds, sizeBytes, qp, uid, recipients }: TodoMessage): void {
    const message: Message = {
      id,
      birthSeconds,
      sender,
      stage: "todo",
      moving: undefined,
      passes: new Map(),
      waiting: new Set(),
      bounce: "",
    };
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
      this.#track(this.#moveToSplit(message).then(() => this.#startPasses(message)));
    } else if (recipients.length === 0) this.#track(this.#finishTodo(message));
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
    for (const [channel, pass] of message.passes) {
      const jobs = jobsOf(message, channel, pass.recipients, !wantsVerp(message.sender));
      pass.left = jobs.length;
      this.#dispatcher.add(jobs);
    }
    this.#pump();
  }

  // --- deliveries

  #pump(): void {
    while (!this.#stopping) {
      const job = this.#dispatcher.next();
      if (job === undefined) return;
      this.#track(this.#run(job));
    }
  }

  async #run(job: Job<Message>): Promise<void> {
    const { message, channel, recipients } = job;
    const numbers = recipients.map((recipient) => {
      recipient.state = "running";
      log(startingLine(++this.#deliveries, message.id, channel, recipient.address));
      return this.#deliveries;
    });
    log(this.#status());
    const reply = await this.#hands.spawn(job, expandVerp(message.sender, recipients[0]?.address ?? ""));
    this.#dispatcher.ended(channel);
    const again: Recipient[] = [];
    for (const [at, recipient] of recipients.entries()) {
      const report = reply.reports[at]!;
      if (reply.lost && ++recipient.losses < mostLosses) {
        log(deliveryLine(numbers[at]!, "Z", report.text));
        recipient.state = "pending";
        again.push(recipient);
      } else {
        await this.#settle(message, channel, recipient, report, numbers[at]!);
      }
    }
    log(this.#status());
    if (again.length > 0 && !this.#stopping) {
      const delayMs = retryAfterLoss(Math.max(...again.map((recipient) => recipient.losses))) * 1000;
      setTimeout(() => {
        this.#dispatcher.add([{ message, channel, recipients: again }]);
        this.#pump();
      }, delayMs);
    } else if (again.length === 0) {
      const pass = message.passes.get(channel)!;
      if (--pass.left === 0) this.#track(this.#endPass(message, channel, pass));
    }
    this.#pump();
  }

  /** Writes down what an attempt did for one recipient. */
  async #settle(
    message: Message,
    channel: Channel,
    recipient: Recipient,
    report: DeliveryReport,
    number: number,
  ): Promise<void> {
    const dying = message.passes.get(channel)?.dying === true;
    const { verdict, text } = dying && report.verdict === "Z"
      ? { verdict: "D" as const, text: report.text + tooLong }
      : report;
    log(deliveryLine(number, verdict, text));
    if (verdict === "Z") {
      this.#counts.deferred++;
      recipient.state = "deferred";
      return;
    }
    this.#counts[verdict === "K" ? "delivered" : "failed"]++;
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
      log(
        `warning: trouble marking ${channel}/${message.id}: ${describeError(error)}; message will be delivered twice!`,
      );
      recipient.state = "deferred";
    }
  }

  // --- the end of an attempt

  async #endPass(message: Message, channel: Channel, pass: Pass): Promise<void> {
    if (message.stage === "split") return this.#endSplitPass(message, channel, pass);
    if ([...message.passes.values()].some((other) => other.left > 0)) return;
    const everyone = [...message.passes.values()].flatMap((other) => other.recipients);
    if (message.bounce === "" && everyone.every((recipient) => recipient.state === "delivered")) {
      return this.#finishTodo(message);
    }
    if (!this.#stopping) await this.#moveToSplit(message);
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
    if (message.passes.size === 0 && message.waiting.size === 0) await this.#finishSplit(message);
  }

  #wait(message: Message, channel: Channel, atSeconds: number): void {
    message.waiting.add(channel);
    this.#retries.add({ atSeconds, id: message.id, channel });
    this.#schedule();
  }

  #hasProgress(message: Message): boolean {
    return [...message.passes.values()].some((pass) =>
      pass.recipients.some((recipient) => recipient.state === "delivered" || recipient.state === "failed")
    );
  }

  /** From S4 to S5: what is done is marked so, what failed stands in bounce. Tries until the disk takes it. */
  #moveToSplit(message: Message): Promise<void> {
    message.moving ??= this.#writeAndClean(message).finally(() => message.moving = undefined);
    return message.moving;
  }

  async #writeAndClean(message: Message): Promise<void> {
    const list = (channel: Channel) => message.passes.get(channel)?.recipients ?? [];
    const done = (recipient: Recipient) => recipient.state === "delivered" || recipient.state === "failed";
    const records = (channel: Channel) =>
      list(channel).map((recipient) => ({ address: recipient.address, done: done(recipient) }));
    for (;;) {
      try {
        const todo = await this.#store.writeSplit(message.id, {
          sender: message.sender,
          birthSeconds: message.birthSeconds,
          recipients: { local: records("local"), remote: records("remote") },
          bounce: message.bounce,
        });
        for (const channel of channels) {
          const left = list(channel).filter((recipient) => !done(recipient));
          left.forEach((recipient, at) => recipient.offset = todo[channel][at]!.offset);
        }
        break;
      } catch (error) {
        log(`warning: unable to create info/${message.id}: ${describeError(error)}; will try again later`);
        if (this.#stopping) return;
        await new Promise((resolve) => setTimeout(resolve, 5000));
      }
    }
    await this.#cleaner.clean("todo", message.id);
    message.stage = "split";
    message.bounce = "";
    this.#fresh--;
    this.#readMore();
  }

  async #finishTodo(message: Message): Promise<void> {
    message.stage = "ending";
    if (!await this.#cleaner.clean("done", message.id)) return;
    this.#fresh--;
    this.#end(message);
    this.#readMore();
  }

  async #finishSplit(message: Message): Promise<void> {
    try {
      const paragraphs = this.#store.readBounce(message.id);
      if (paragraphs !== "") {
        const sender = this.#store.readSender(message.id);
        if (!sender.ok) throw new Error(`info/${message.id}: ${sender.error}`);
        if (!await this.#hands.bounce(message.id, sender.value, paragraphs)) return this.#finishLater(message);
        this.#counts.bounced++;
        this.#store.removeBounce(message.id);
      }
      this.#store.removeInfo(message.id);
    } catch (error) {
      log(`warning: trouble finishing msg ${message.id}: ${describeError(error)}; will try again later`);
      return this.#finishLater(message);
    }
    if (await this.#cleaner.clean("foop", message.id)) this.#end(message);
  }

  #finishLater(message: Message): void {
    if (!this.#stopping) setTimeout(() => this.#track(this.#finishSplit(message)), 5000);
  }

  #end(message: Message): void {
    this.#counts.ended++;
    log(`end msg ${message.id}`);
    this.#messages.delete(message.id);
    if (this.#again.delete(message.id)) this.notice([message.id]);
  }

  // --- retries

  #schedule(): void {
    clearTimeout(this.#timer);
    const earliest = this.#retries.earliest;
    if (earliest === undefined || this.#stopping) return;
    const delayMs = Math.min(Math.max(0, (earliest - this.#hands.nowSeconds()) * 1000), 86_400_000);
    this.#timer = setTimeout(() => this.#retryDue(), delayMs);
  }

  #retryDue(): void {
    const now = this.#hands.nowSeconds();
    for (let retry = this.#retries.takeDue(now); retry !== undefined; retry = this.#retries.takeDue(now)) {
      const message = this.#messages.get(retry.id);
      if (message === undefined || !message.waiting.delete(retry.channel)) continue;
      this.#beginRetry(message, retry.channel);
    }
    this.#schedule();
    this.#pump();
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
      const pass = message.passes.get(channel) ?? { recipients: [], left: 0, dying: false, nextSeconds: 0 };
      const jobs = jobsOf(message, channel, recipients, !wantsVerp(message.sender));
      pass.left = jobs.length;
      this.#dispatcher.add(jobs);
      if (jobs.length === 0) this.#track(this.#endSplitPass(message, channel, pass));
    } catch (error) {
      log(`warning: trouble reading msg ${message.id}: ${describeError(error)}; will try again later`);
      this.#wait(message, channel, this.#hands.nowSeconds() + troubleSeconds);
    }
  }

  // --- common

  #status(): string {
    return statusLine(this.#dispatcher.running, this.#dispatcher.limits, this.#stopping);
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }
}

function limitsOf(controls: Controls): Readonly<Record<Channel, number>> {
  return { local: controls.concurrencylocal, remote: controls.concurrencyremote };
}
