/**
 * The life of every message in the queue, from its notice to its end: this is what moves it through the states of
 * ARCHITECTURE.md. Decisions are the core's (timing, dispatcher, verp, qsbmf); here they meet files and processes.
 *
 * Unlike qmail: the first attempt of a message with up to a hundred recipients runs straight from the journal or from
 * todo. Only a message that has recipients left after it is written to info, local and remote; most never are.
 * @module
 */
import type { Controls } from "../../config/schema.ts";
import type { Held } from "../lib/disk/disk.ts";
import { describeError, log } from "../lib/log/log.ts";
import { type Channel, channels } from "../lib/queue/layout.ts";
import { rewriteRecipient } from "../lib/queue/rewrite.ts";
import { mostFirstAttempt } from "../lib/wire/queue_protocol.ts";
import type { SendStatus } from "../lib/wire/status_protocol.ts";
import { Arrivals } from "./arrivals.ts";
import type { Cleaner } from "./cleaner.ts";
import { type CommandHands, Commands, type InMemory } from "./commands.ts";
import { Deliveries, type DeliveryEvents } from "./deliveries.ts";
import { isDone, jobsOf, type Recipient } from "./dispatcher.ts";
import { type Ask, JournalLink } from "./journal_link.ts";
import { logMail } from "./log_lines.ts";
import { type Message, mostFresh, mostRetried, type NewMessage, newMessage, type Pass } from "./message.ts";
import { Overruled } from "./overruled.ts";
import { RetryTimer } from "./retry_timer.ts";
import type { Retry } from "./retry_queue.ts";
import { Settling } from "./settling.ts";
import type { Store } from "./store.ts";
import { nextAttempt } from "./timing.ts";
import { type TransitionEvents, Transitions } from "./transitions.ts";
import { Vacating } from "./vacating.ts";
import { wantsVerp } from "./verp.ts";

/** What the manager has done by others. */
export interface Hands {
  readonly spawn: DeliveryEvents["spawn"];
  readonly bounce: TransitionEvents["bounce"];
  /** Sends a request to qmail-queue. */
  readonly ask: Ask;
  nowSeconds(): number;
  /** Settles in a later turn of the event loop. */
  breathe(): Promise<void>;
}

/** Seconds before trouble of our own is tried again. */
const troubleSeconds = 123;
type Routed = Record<Channel, Recipient[]>;

/** Recipients that are rewritten in one turn of the event loop: some milliseconds. */
const routedAtOnce = 2000;
/** What an orderly end may still take for what it writes down. */
const lastWordsMs = 200;

export class Manager {
  readonly #store: Store;
  readonly #cleaner: Cleaner;
  readonly #hands: Hands;
  readonly #deliveries: Deliveries;
  readonly #transitions: Transitions;
  readonly #retries: RetryTimer;
  readonly journal: JournalLink;
  readonly arrivals: Arrivals;
  /** Messages something is done for at the moment; those that only wait are in `#retries`. */
  readonly #messages = new Map<number, Message>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #vacating = new Vacating((message) => this.#vacateOne(message));
  /** Messages that went to wait while a survey runs, which may still come to their files; undefined when none runs. */
  #asleep: Set<number> | undefined = new Set();
  /** Entries of `#retries` that count no more. */
  readonly #overruled = new Overruled();
  /** First attempts whose end is being decided, which may have to wait for a bounce to be queued. */
  readonly #deciding = new Map<Message, Promise<void>>();
  /** An operator had their lifetime end. */
  readonly #expired = new WeakSet<Message>();
  readonly commands: Commands;
  #controls: Controls;
  #fresh = 0;
  #ended = 0;
  #stopping = false;

  constructor(store: Store, cleaner: Cleaner, hands: Hands, controls: Controls) {
    this.#store = store;
    this.#cleaner = cleaner;
    this.#hands = hands;
    this.#controls = controls;
    this.journal = new JournalLink(hands.ask);
    const settling = new Settling(store, () => this.#controls.virtualdomains);
    this.#deliveries = new Deliveries(limitsOf(controls), {
      spawn: hands.spawn,
      settle: (message, channel, reports) => settling.settle(message, channel, reports),
      breathe: hands.breathe,
      jobEnded: (message, channel) => this.#jobEnded(message, channel),
    });
    this.#transitions = new Transitions(store, cleaner, this.journal, {
      // A lifetime that an operator ended has info tell of another birth (commands.ts); the text's file knows better.
      bounce: (bounce) =>
        hands.bounce(
          bounce.place === undefined
            ? { ...bounce, arrivalSeconds: store.mtime("mess", bounce.id) ?? bounce.arrivalSeconds }
            : bounce,
        ),
      leftTodo: () => {
        this.#fresh--;
        this.arrivals.beginMore();
      },
      ended: (message) => this.#end(message),
      stopping: () => this.#stopping,
      nowSeconds: hands.nowSeconds,
    });
    this.#retries = new RetryTimer({
      nowSeconds: hands.nowSeconds,
      ready: () => this.#messages.size - this.#fresh < mostRetried,
      onDue: (retry) => this.#retry(retry),
    });
    this.arrivals = new Arrivals({
      known: (id) => this.#messages.get(id),
      hasRoom: () => !this.#stopping && this.#fresh < mostFresh,
      readTodo: (id, scanned) => store.readTodo(id, scanned),
      begin: (message) => this.#begin(message),
      isDone: (serial) => this.journal.isDone(serial),
      move: (serial, id) => this.journal.move(serial, id),
    });
    this.commands = new Commands(store, this.#commandHands());
    this.#deliveries.logStatus();
  }

  setControls(controls: Controls): void {
    this.#controls = controls;
    this.#deliveries.setLimits(limitsOf(controls));
  }

  /** SIGALRM. */
  retryAll(): void {
    this.#overruled.alarm(this.#hands.nowSeconds());
    this.#retries.allDue();
  }

  status(): SendStatus {
    const active = this.#messages.size + this.arrivals.size;
    return {
      messages: active + this.#retries.size - this.#overruled.size,
      notPreprocessed: this.#fresh + this.arrivals.size,
      waitingForRetry: this.#retries.size - this.#overruled.size,
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
    const endMs = Date.now() + limitMs;
    await this.#deliveries.idle(limitMs);
    // Whether a bounce that is being queued was taken says what there is to write down.
    await atMost(Promise.all(this.#deciding.values()), endMs - Date.now());
    const begun = [...this.#messages.values()].filter((message) => this.#isBegun(message));
    // qmail-queue or qmail-clean may be away, and the supervisor does not wait for ever.
    await atMost(Promise.all(begun.map((message) => this.#transitions.moveToSplit(message))), lastWordsMs);
    this.#cleaner.stop();
    await atMost(Promise.all(this.#underWay), lastWordsMs);
    log("status: exiting");
  }

  /** Whether a first attempt has achieved what only this process knows, and nobody is being told of it just now. */
  #isBegun(message: Message): boolean {
    if (message.moving !== undefined) return true;
    return (message.stage === "journal" || message.stage === "todo") && !this.#deciding.has(message) &&
      [...message.passes.values()].some((pass) => pass.recipients.some(isDone));
  }

  // --- what a survey finds

  /** A survey begins, or has ended: only in between is it remembered what it may come to a second time. */
  surveying(begins: boolean): void {
    // Before the first one it counts as well.
    this.#asleep = begins ? this.#asleep ?? new Set() : undefined;
  }

  /** Whether a message of this number is in memory, or was since the survey began. */
  knows(id: number): boolean {
    return this.#messages.has(id) || this.arrivals.has(id) || this.#asleep?.has(id) === true;
  }

  /** Whether there is room for another message that only waits for its end. */
  get busy(): boolean {
    return this.#underWay.size > mostRetried;
  }

  /** A message in S5 has recipients left, whose next attempt is due then. */
  found(id: number, channel: Channel, atSeconds: number): void {
    this.#retries.add({ id, channel, atSeconds });
  }

  /** A message in S5 has nobody left. */
  finished(id: number): void {
    const message = newMessage({ id, birthSeconds: 0, sender: "", place: undefined }, "split");
    this.#messages.set(id, message);
    this.#track(this.#transitions.finishSplit(message));
  }

  /** A file in mess that nobody writes and that belongs to no message, held open until it is gone. */
  removeAbandoned(id: number, held: Held): void {
    if (this.knows(id) || this.#store.inTodo(id) || this.#store.mtime("info", id) !== undefined) return held.close();
    this.#track(this.#cleaner.clean("foop", id).then(() => held.close()));
  }

  // --- a message's beginning

  #begin({ recipients, ...fields }: NewMessage): void {
    const { id, place, sizeBytes, sender, qp, uid } = fields;
    const message = newMessage(fields, place === undefined ? "todo" : "journal");
    this.#messages.set(id, message);
    this.#fresh++;
    logMail({ event: "new", msg: id });
    logMail({ event: "info", msg: id, bytes: sizeBytes, from: sender, qp, uid });
    if (recipients.length > mostFirstAttempt) {
      const routed = () => this.#routeMany(message, recipients);
      this.#track(this.#transitions.moveToSplit(message, routed).then(() => this.#startPasses(message)));
    } else if (recipients.length === 0) this.#track(this.#transitions.finishFirst(message));
    else {
      const routed: Routed = { local: [], remote: [] };
      this.#route(recipients, routed);
      for (const channel of channels) this.#addPass(message, channel, routed[channel]);
      this.#startPasses(message);
    }
  }

  #route(recipients: readonly string[], routed: Routed): void {
    for (const recipient of recipients) {
      const { channel, address } = rewriteRecipient(recipient, this.#controls);
      routed[channel].push({ address, offset: -1, state: "pending", losses: 0 });
    }
  }

  /** A hundred thousand recipients take a while; others go on in between. */
  async #routeMany(message: Message, recipients: readonly string[]): Promise<void> {
    const routed: Routed = { local: [], remote: [] };
    for (let at = 0; at < recipients.length; at += routedAtOnce) {
      this.#route(recipients.slice(at, at + routedAtOnce), routed);
      await this.#hands.breathe();
    }
    for (const channel of channels) this.#addPass(message, channel, routed[channel]);
  }

  #addPass(message: Message, channel: Channel, recipients: readonly Recipient[]): void {
    if (recipients.length === 0) return;
    const now = this.#hands.nowSeconds();
    message.passes.set(channel, {
      recipients,
      left: 0,
      added: undefined,
      dying: this.#expired.has(message) || now > message.birthSeconds + this.#controls.queuelifetime,
      nextSeconds: nextAttempt(message.birthSeconds, now, channel),
    });
  }

  #startPasses(message: Message): void {
    for (const [channel, pass] of message.passes) this.#startPass(message, channel, pass);
  }

  #startPass(message: Message, channel: Channel, pass: Pass): void {
    const jobs = jobsOf(message, channel, pass.recipients, !wantsVerp(message.sender));
    pass.left = jobs.length;
    pass.added = this.#deliveries.add(channel, jobs);
  }

  #jobEnded(message: Message, channel: Channel): void {
    const pass = message.passes.get(channel)!;
    if (--pass.left === 0) this.#track(this.#endPass(message, channel, pass));
  }

  // --- the end of an attempt

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
    if (!this.#stopping) await this.#transitions.moveToSplit(message);
    for (const [ended, endedPass] of [...message.passes]) await this.#endSplitPass(message, ended, endedPass);
  }

  /** Whether after its first attempt nothing of a message is left to do, its bounce included. */
  async #isOver(message: Message): Promise<boolean> {
    if (message.deleted) return true;
    if (![...message.passes.values()].every((pass) => pass.recipients.every(isDone))) return false;
    return message.bounce === "" || (!this.#stopping && await this.#transitions.bounceFirst(message));
  }

  async #endSplitPass(message: Message, channel: Channel, pass: Pass): Promise<void> {
    if (this.#stopping || message.passes.get(channel) !== pass) return;
    message.passes.delete(channel);
    try {
      if (pass.recipients.every(isDone)) this.#store.removeChannel(message.id, channel);
      else if (!message.deleted) {
        this.#store.setNextAttempt(message.id, channel, pass.nextSeconds);
        this.#retries.add({ atSeconds: pass.nextSeconds, id: message.id, channel });
      }
    } catch (error) {
      log(`warning: trouble with ${channel}/${message.id}: ${describeError(error)}; will try again later`);
      this.#retries.add({ atSeconds: this.#hands.nowSeconds() + troubleSeconds, id: message.id, channel });
    }
    if (message.passes.size === 0) await this.#rest(message);
  }

  /** Nothing runs for it: it waits for its next attempt, or ends. */
  #rest(message: Message): Promise<void> | undefined {
    const { id } = message;
    if (message.deleted || channels.every((channel) => this.#store.mtime(channel, id) === undefined)) {
      return this.#transitions.finishSplit(message);
    }
    this.#asleep?.add(id);
    this.#forget(id);
    return undefined;
  }

  #end({ id }: Message): void {
    this.#ended++;
    logMail({ event: "end", msg: id });
    this.#forget(id);
  }

  #forget(id: number): void {
    this.#messages.delete(id);
    this.#retries.resume();
    this.arrivals.ended(id);
  }

  // --- out of the journal before the end of a first attempt

  /** qmail-queue needs the room of these messages in the journal. */
  vacate(serials: readonly number[], ids: readonly number[]): void {
    const here: Message[] = [];
    for (const [at, serial] of serials.entries()) {
      const message = this.#messages.get(ids[at] ?? 0);
      if (message?.place?.serial === serial) here.push(message);
      else this.arrivals.vacate(serial);
    }
    this.#vacating.add(here);
  }

  #vacateOne(message: Message): Promise<void> | undefined {
    // Its end is on its way; what is bounced just now must not be written down to be bounced again.
    if (this.#stopping || message.stage !== "journal" || this.#deciding.has(message)) return undefined;
    const withdrawn = this.#withdraw(message, this.#hands.nowSeconds());
    this.#track(withdrawn);
    return withdrawn;
  }

  /** Starts no more deliveries of a message, has it written down, and tries who is left at `atSeconds`. */
  #withdraw(message: Message, atSeconds: number): Promise<void> {
    this.#takeBack(message, atSeconds);
    return this.#putDown(message);
  }

  #takeBack(message: Message, atSeconds: number): void {
    for (const [channel, pass] of message.passes) {
      const jobs = pass.added === undefined ? [] : this.#deliveries.remove(channel, pass.added);
      if (jobs.length === 0) continue;
      for (const job of jobs) for (const recipient of job.recipients) recipient.state = "deferred";
      pass.left -= jobs.length;
      pass.nextSeconds = atSeconds;
    }
  }

  async #putDown(message: Message, written: () => void = () => {}): Promise<void> {
    if (message.stage !== "split") await this.#transitions.moveToSplit(message);
    if (message.stage === "split") written();
    for (const [channel, pass] of [...message.passes]) {
      if (pass.left === 0) await this.#endPass(message, channel, pass);
    }
  }

  // --- an operator's commands

  /** What there is in memory. */
  get inMemory(): Omit<InMemory, "todo"> {
    return { messages: this.#messages.values(), journal: this.arrivals.journalMessages() };
  }

  message(id: number): Message | undefined {
    return this.#messages.get(id);
  }

  /** Messages that are in the journal, as far as is known here. */
  get journalMessages(): number {
    let count = this.arrivals.journalSize;
    for (const { place } of this.#messages.values()) if (place !== undefined) count++;
    return count;
  }

  /** Has every message leave the journal. */
  vacateAll(): void {
    for (const { place } of [...this.arrivals.journalMessages()]) this.arrivals.vacate(place.serial);
    this.#vacating.add([...this.#messages.values()].filter(({ place }) => place !== undefined));
  }

  #commandHands(): CommandHands {
    return {
      nowSeconds: () => this.#hands.nowSeconds(),
      lifetimeSeconds: () => this.#controls.queuelifetime,
      message: (id) => this.#messages.get(id),
      busy: (message) => message.stage === "ending" ? undefined : message.moving ?? this.#deciding.get(message),
      beginNow: (id) => {
        // A scan that is on its way through todo may not have come to it.
        if (!this.arrivals.has(id) && this.#store.inTodo(id)) this.arrivals.todo([id], true);
        this.arrivals.beginNow(id);
      },
      reschedule: (id, channel, atSeconds) => {
        this.#store.setNextAttempt(id, channel, atSeconds);
        this.#overrule(id, channel);
        this.#retries.add({ id, channel, atSeconds });
      },
      unschedule: (id, channel) => this.#overrule(id, channel),
      takeBack: (message, atSeconds) => this.#takeBack(message, atSeconds),
      putDown: (message, written) => this.#putDown(message, written),
      expire: (message) => {
        this.#expired.add(message);
        for (const pass of message.passes.values()) pass.dying = true;
      },
      finish: (message) => {
        this.#messages.set(message.id, message);
        return this.#transitions.finishSplit(message);
      },
      finishFirst: async (message) => {
        const [first] = message.passes;
        if (first !== undefined) await this.#endPass(message, ...first);
      },
    };
  }

  /** The entry that the retry queue has of a message that waits counts no more. */
  #overrule(id: number, channel: Channel): void {
    if (this.#asleep !== undefined && !this.#asleep.has(id) && !this.#messages.has(id)) {
      // The survey may not have come to it: now there is an entry, and it will not tell of it.
      for (const other of channels) {
        const atSeconds = this.#store.mtime(other, id);
        if (atSeconds !== undefined) this.#retries.add({ id, channel: other, atSeconds });
      }
      this.#asleep.add(id);
    }
    this.#overruled.add(id, channel);
  }

  // --- retries

  #retry(retry: Retry): void {
    const { id, channel } = retry;
    const active = this.#messages.get(id);
    // Its files say the same again when it comes to rest.
    if (active !== undefined && (active.stage !== "split" || active.passes.has(channel))) {
      return this.#overruled.drop(id, channel);
    }
    try {
      const atSeconds = this.#store.mtime(channel, id);
      if (atSeconds === undefined || active?.deleted === true) return this.#overruled.drop(id, channel);
      const judged = this.#overruled.judge(retry, atSeconds, this.#hands.nowSeconds());
      if (judged === "wait") this.#retries.add({ id, channel, atSeconds });
      if (judged !== "try") return;
      const message = active ?? this.#wake(id);
      const records = this.#store.readChannel(id, channel);
      if (!records.ok) throw new Error(`${channel}/${id}: ${records.error}`);
      this.#messages.set(id, message);
      this.#startRetry(message, channel, records.value);
    } catch (error) {
      log(`warning: trouble reading msg ${id}: ${describeError(error)}; will try again later`);
      this.#retries.add({ atSeconds: this.#hands.nowSeconds() + troubleSeconds, id, channel });
    }
  }

  #startRetry(message: Message, channel: Channel, records: readonly { address: string; offset: number }[]): void {
    const recipients = records.map(({ address, offset }): Recipient => ({
      address,
      offset,
      state: "pending",
      losses: 0,
    }));
    this.#addPass(message, channel, recipients);
    const pass = message.passes.get(channel);
    if (pass !== undefined) return this.#startPass(message, channel, pass);
    const none: Pass = { recipients, left: 0, added: undefined, dying: false, nextSeconds: 0 };
    message.passes.set(channel, none);
    this.#track(this.#endSplitPass(message, channel, none));
  }

  /** A message that waited, as its files tell of it. Throws what is wrong with them. */
  #wake(id: number): Message {
    const sender = this.#store.readSender(id);
    if (!sender.ok) throw new Error(`info/${id}: ${sender.error}`);
    const birthSeconds = this.#store.mtime("info", id) ?? 0;
    return newMessage({ id, birthSeconds, sender: sender.value, place: undefined }, "split");
  }

  // --- common

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }
}

/** Settles when `work` does, or after `limitMs`. */
function atMost(work: Promise<unknown>, limitMs: number): Promise<unknown> {
  return Promise.race([work, new Promise((resolve) => setTimeout(resolve, limitMs))]);
}

function limitsOf(controls: Controls): Readonly<Record<Channel, number>> {
  return { local: controls.concurrencylocal, remote: controls.concurrencyremote };
}
