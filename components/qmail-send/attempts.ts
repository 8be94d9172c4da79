/**
 * The attempts at one message, the first and later ones: recipients become deliveries, and when all of a channel have been
 * reported on it is decided what is next: the message's end, S5, or the wait for another attempt.
 * @module
 */
import type { Controls } from "../../config/schema.ts";
import { describeError, log } from "../lib/log/log.ts";
import { breatheInSlices } from "../lib/process/breathe.ts";
import { type Channel, channels } from "../lib/queue/layout.ts";
import { rewriteRecipient } from "../lib/queue/rewrite.ts";
import { heldSeconds } from "../lib/queue/held.ts";
import { mostFirstAttempt } from "../lib/wire/queue_protocol.ts";
import type { Asked } from "./asked.ts";
import type { Deliveries } from "./deliveries.ts";
import { isDone, type Job, JobCutter, jobsOf, pendingRecipient, type Recipient, type WayOf } from "./dispatcher.ts";
import { logMail } from "./log_lines.ts";
import type { Message, Pass } from "./message.ts";
import type { Reports } from "./reports.ts";
import type { Retry } from "./retry_queue.ts";
import type { Store } from "./store.ts";
import { expirySeconds, nextAttempt, troubleSeconds } from "./timing.ts";
import type { Transitions } from "./transitions.ts";
import { wantsVerp } from "./verp.ts";

export interface AttemptEvents {
  controls(): Controls;
  nowSeconds(): number;
  /** Settles in a later turn of the event loop. */
  breathe(ms?: number): Promise<void>;
  stopping(): boolean;
  /** An orderly end waits for this. */
  track(work: Promise<void>): void;
  /** Who is left of a message on this channel waits for another attempt. */
  waits(retry: Retry): void;
  /** Nothing runs any more for a message that has recipients left. */
  rests(message: Message): void;
}

type Routed = Record<Channel, Recipient[]>;

/** What is held waits for no time. */
function logLater(msg: number, channel: Channel, atSeconds: number): void {
  if (atSeconds >= heldSeconds) return;
  logMail({ event: "later", msg, channel, at: `${new Date(atSeconds * 1000).toISOString().slice(0, 19)}Z` });
}

/** Recipients that are rewritten at a time: a millisecond or two. */
const routedAtOnce = 1000;

export class Attempts {
  readonly #store: Store;
  readonly #transitions: Transitions;
  readonly #reports: Reports;
  readonly #deliveries: Deliveries;
  readonly #events: AttemptEvents;
  /** First attempts whose end is being decided, which may have to wait for a bounce to be queued. */
  readonly #deciding = new Map<Message, Promise<void>>();
  /** An operator had their lifetime end. */
  readonly #expired = new WeakSet<Message>();

  constructor(
    store: Store,
    transitions: Transitions,
    reports: Reports,
    deliveries: Deliveries,
    events: AttemptEvents,
  ) {
    this.#store = store;
    this.#transitions = transitions;
    this.#reports = reports;
    this.#deliveries = deliveries;
    this.#events = events;
  }

  // --- the beginning of an attempt

  /** The first: from the journal or todo, or from S5 where there are very many `recipients`. */
  beginFirst(message: Message, recipients: readonly string[]): void {
    if (recipients.length > mostFirstAttempt) {
      const routed = () => this.#routeMany(message, recipients);
      this.#events.track(this.#transitions.moveToSplit(message, routed).then(() => this.#startPasses(message)));
    } else if (recipients.length === 0) this.#events.track(this.#transitions.finishFirst(message));
    else {
      const routed: Routed = { local: [], remote: [] };
      this.#route(recipients, routed);
      for (const channel of channels) this.#addPass(message, channel, routed[channel]);
      this.#startPasses(message);
    }
  }

  /** A later one, at who is left in a channel's file. */
  beginLater(message: Message, channel: Channel, left: readonly { address: string; offset: number }[]): void {
    const recipients = left.map(({ address, offset }) => ({ ...pendingRecipient(address), offset }));
    this.#addPass(message, channel, recipients);
    const pass = message.passes.get(channel);
    if (pass !== undefined) return this.#startPass(channel, pass);
    const none: Pass = { recipients, jobs: [], left: 0, added: undefined, dying: false, nextSeconds: 0 };
    message.passes.set(channel, none);
    this.#events.track(this.#endSplitPass(message, channel, none));
  }

  #route(recipients: readonly string[], routed: Routed): void {
    const controls = this.#events.controls();
    for (const recipient of recipients) {
      const { channel, address } = rewriteRecipient(recipient, controls);
      routed[channel].push(pendingRecipient(address));
    }
  }

  /** A hundred thousand recipients take a while; others go on in between. */
  async #routeMany(message: Message, recipients: readonly string[]): Promise<void> {
    const routed: Routed = { local: [], remote: [] };
    const wayOf = this.#wayOf(message);
    const cutters = { local: new JobCutter(message, "local", wayOf), remote: new JobCutter(message, "remote", wayOf) };
    const breathe = breatheInSlices(() => this.#events.breathe());
    for (let at = 0; at < recipients.length; at += routedAtOnce) {
      const before = { local: routed.local.length, remote: routed.remote.length };
      this.#route(recipients.slice(at, at + routedAtOnce), routed);
      for (const channel of channels) cutters[channel].add(routed[channel].slice(before[channel]));
      await breathe();
    }
    for (const channel of channels) this.#addPass(message, channel, routed[channel], cutters[channel].jobs);
  }

  /** Where each recipient has a sender of its own, none travel together. */
  #wayOf({ sender }: Message): WayOf | undefined {
    return wantsVerp(sender) ? undefined : (domain) => this.#deliveries.wayOf(domain);
  }

  /** `jobs`: the deliveries, where they have been cut already. */
  #addPass(
    message: Message,
    channel: Channel,
    recipients: readonly Recipient[],
    jobs = jobsOf(message, channel, recipients, this.#wayOf(message)),
  ): void {
    if (recipients.length === 0) return;
    const now = this.#events.nowSeconds();
    message.passes.set(channel, {
      recipients,
      jobs,
      left: 0,
      added: undefined,
      dying: this.#expired.has(message) || now > expirySeconds(message, this.#events.controls()),
      nextSeconds: nextAttempt(message.birthSeconds, now, channel),
    });
  }

  #startPasses(message: Message): void {
    for (const [channel, pass] of message.passes) this.#startPass(channel, pass);
  }

  #startPass(channel: Channel, pass: Pass): void {
    const { jobs } = pass;
    pass.jobs = [];
    pass.left = jobs.length;
    pass.added = this.#deliveries.add(channel, jobs);
  }

  // --- the end of an attempt

  /** One of its deliveries on this channel has been reported on. */
  jobEnded(message: Message, channel: Channel): void {
    const pass = message.passes.get(channel)!;
    if (--pass.left === 0) this.#events.track(this.#endPass(message, channel, pass));
  }

  /** Some of its remote deliveries are not made in this attempt: who is left is due at `atSeconds`, or sooner for others. */
  putOff(message: Message, jobs: readonly Job<Message>[], atSeconds: number): void {
    const pass = message.passes.get("remote")!;
    let count = 0;
    for (const { recipients } of jobs) {
      for (const recipient of recipients) recipient.state = "deferred";
      count += recipients.length;
    }
    pass.left -= jobs.length;
    pass.nextSeconds = count === pass.recipients.length ? atSeconds : Math.min(pass.nextSeconds, atSeconds);
    if (pass.left === 0) this.#events.track(this.#endPass(message, "remote", pass));
  }

  async #endPass(message: Message, channel: Channel, pass: Pass): Promise<void> {
    if (message.moving !== undefined) await message.moving;
    if (message.stage === "split") return this.#endSplitPass(message, channel, pass);
    if ([...message.passes.values()].some((other) => other.left > 0) || this.#deciding.has(message)) return;
    const decided = this.#endFirst(message).finally(() => this.#deciding.delete(message));
    this.#deciding.set(message, decided);
    return decided;
  }

  async #endFirst(message: Message): Promise<void> {
    if (await this.#isOver(message)) return this.#transitions.finishFirst(message);
    if (!this.#events.stopping()) await this.#transitions.moveToSplit(message);
    for (const [ended, endedPass] of [...message.passes]) await this.#endSplitPass(message, ended, endedPass);
  }

  /** Whether after its first attempt nothing of a message is left to do, its bounce included. */
  async #isOver(message: Message): Promise<boolean> {
    if (message.deleted) return true;
    if (![...message.passes.values()].every((pass) => pass.recipients.every(isDone))) return false;
    // A report that is sent is not sent again, whatever becomes of the bounce.
    if (message.asked?.hasNews === true) {
      if (this.#events.stopping() || !await this.#reports.tellNews(message, message.asked)) return false;
    }
    return message.bounce === "" || (!this.#events.stopping() && await this.#transitions.bounceFirst(message));
  }

  async #endSplitPass(message: Message, channel: Channel, pass: Pass): Promise<void> {
    if (this.#events.stopping() || message.passes.get(channel) !== pass) return;
    message.passes.delete(channel);
    try {
      if (pass.recipients.every(isDone)) this.#store.removeChannel(message.id, channel);
      else if (!message.deleted) {
        this.#store.setNextAttempt(message.id, channel, pass.nextSeconds);
        this.#events.waits({ atSeconds: pass.nextSeconds, id: message.id, channel });
        logLater(message.id, channel, pass.nextSeconds);
      }
    } catch (error) {
      log(`warning: trouble with ${channel}/${message.id}: ${describeError(error)}; will try again later`);
      this.#events.waits({ atSeconds: this.#events.nowSeconds() + troubleSeconds, id: message.id, channel });
    }
    if (message.passes.size === 0) await this.#rest(message);
  }

  /** Nothing runs for it: it waits for its next attempt, or ends. */
  #rest(message: Message): Promise<void> | undefined {
    if (message.deleted || channels.every((channel) => this.#store.mtime(channel, message.id) === undefined)) {
      return this.#transitions.finishSplit(message);
    }
    const { asked } = message;
    if (asked !== undefined && (asked.hasNews || asked.tellsDelays)) return this.#restAfterReports(message, asked);
    this.#events.rests(message);
    return undefined;
  }

  /** What is said of it while it waits has to be said before it is forgotten. An operator's word on it waits as for a move. */
  async #restAfterReports(message: Message, asked: Asked): Promise<void> {
    const tell = async () => {
      await this.#reports.tellNewsSurely(message, asked);
      if (!this.#events.stopping()) await this.#reports.tellDelay(message, asked);
    };
    message.moving = tell().finally(() => message.moving = undefined);
    await message.moving;
    // Another attempt may have begun meanwhile.
    if (message.passes.size > 0) return;
    if (message.deleted) return this.#transitions.finishSplit(message);
    this.#events.rests(message);
  }

  // --- broken off

  /** Starts no more deliveries of a message, has it written down, and tries who is left at `atSeconds`. */
  withdraw(message: Message, atSeconds: number): Promise<void> {
    this.takeBack(message, atSeconds);
    return this.putDown(message);
  }

  /** Takes back what has not been started; who is left is tried at `atSeconds`. */
  takeBack(message: Message, atSeconds: number): void {
    for (const [channel, pass] of message.passes) {
      const jobs = pass.added === undefined ? [] : this.#deliveries.remove(channel, pass.added);
      if (jobs.length === 0) continue;
      for (const job of jobs) for (const recipient of job.recipients) recipient.state = "deferred";
      pass.left -= jobs.length;
      pass.nextSeconds = atSeconds;
    }
  }

  /** Has a message stand in S5, calls `written` where it does, and ends its passes of which nothing runs. */
  async putDown(message: Message, written: () => void = () => {}): Promise<void> {
    if (message.stage !== "split") await this.#transitions.moveToSplit(message);
    if (message.stage === "split") written();
    for (const [channel, pass] of [...message.passes]) {
      if (pass.left === 0) await this.#endPass(message, channel, pass);
    }
  }

  /** Ends a first attempt of which nothing runs. */
  async finishFirst(message: Message): Promise<void> {
    const [first] = message.passes;
    if (first !== undefined) await this.#endPass(message, ...first);
  }

  /** From here on a deferral of this message is a failure. */
  expire(message: Message): void {
    this.#expired.add(message);
    for (const pass of message.passes.values()) pass.dying = true;
  }

  // --- how a first attempt stands

  /** Settles when the end of this one is decided; undefined: nothing is being decided. */
  deciding(message: Message): Promise<void> | undefined {
    return this.#deciding.get(message);
  }

  /** Settles when whatever is being decided is. */
  async decided(): Promise<void> {
    await Promise.all(this.#deciding.values());
  }

  /** Whether this one has achieved what only this process knows, and nobody is being told of it just now. */
  isUnwritten(message: Message): boolean {
    if (message.moving !== undefined) return true;
    return (message.stage === "journal" || message.stage === "todo") && !this.#deciding.has(message) &&
      [...message.passes.values()].some((pass) => pass.recipients.some(isDone));
  }
}
