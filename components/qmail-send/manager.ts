/**
 * Every message in the queue, from its notice to its end. Who moves one on: arrivals (its beginning), attempts,
 * transitions (its states on the disk), retries (its waiting), commands (an operator's word). This is what holds them
 * together: the messages in memory, and what concerns all of them.
 *
 * Unlike qmail: the first attempt of a message with up to a hundred recipients runs straight from the journal or from
 * todo. Only a message that has recipients left after it is written to info, local and remote; most never are.
 * @module
 */
import type { Controls } from "../../config/schema.ts";
import type { Held } from "../lib/disk/disk.ts";
import { log } from "../lib/log/log.ts";
import type { Channel } from "../lib/queue/layout.ts";
import type { ShownDestination } from "../lib/wire/control_protocol.ts";
import type { SendStatus } from "../lib/wire/status_protocol.ts";
import { Arrivals } from "./arrivals.ts";
import { Asked } from "./asked.ts";
import { Attempts } from "./attempts.ts";
import type { Cleaner } from "./cleaner.ts";
import { commandHands } from "./command_hands.ts";
import { Commands, type InMemory } from "./commands.ts";
import { Deliveries, type DeliveryEvents } from "./deliveries.ts";
import { type Ask, JournalLink } from "./journal_link.ts";
import { LastErrors } from "./last_errors.ts";
import { logMail } from "./log_lines.ts";
import { type Message, mostFresh, mostRetried, type NewMessage, newMessage } from "./message.ts";
import { Retries } from "./retries.ts";
import { type ReportEvents, Reports } from "./reports.ts";
import { Settling } from "./settling.ts";
import type { Store } from "./store.ts";
import { type TransitionEvents, Transitions } from "./transitions.ts";
import { Vacating } from "./vacating.ts";

/** What the manager has done by others. */
export interface Hands {
  readonly spawn: DeliveryEvents["spawn"];
  readonly bounce: TransitionEvents["bounce"];
  readonly report: ReportEvents["report"];
  /** Sends a request to qmail-queue. */
  readonly ask: Ask;
  nowSeconds(): number;
  /** Settles in a later turn of the event loop, `ms` from now or soon. */
  breathe(ms?: number): Promise<void>;
}

/** What an orderly end may take for what it writes down when the rest of its time is over. */
const lastWordsMs = 200;

export class Manager {
  readonly #store: Store;
  readonly #cleaner: Cleaner;
  readonly #hands: Hands;
  readonly #deliveries: Deliveries;
  readonly #reports: Reports;
  readonly #transitions: Transitions;
  readonly #attempts: Attempts;
  readonly #retries: Retries;
  readonly journal: JournalLink;
  readonly arrivals: Arrivals;
  readonly commands: Commands;
  readonly errors = new LastErrors();
  /** Messages something is done for at the moment; those that only wait are in `#retries`. */
  readonly #messages = new Map<number, Message>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #vacating = new Vacating((message) => this.#vacateOne(message));
  #controls: Controls;
  /** Of the messages in memory, first attempts. */
  #fresh = 0;
  #ended = 0;
  #stopping = false;

  constructor(store: Store, cleaner: Cleaner, hands: Hands, controls: Controls) {
    this.#store = store;
    this.#cleaner = cleaner;
    this.#hands = hands;
    this.#controls = controls;
    this.journal = new JournalLink(hands.ask);
    this.#reports = new Reports(store, {
      report: hands.report,
      controls: () => this.#controls,
      nowSeconds: hands.nowSeconds,
      stopping: () => this.#stopping,
    });
    this.#deliveries = this.#newDeliveries();
    this.#transitions = this.#newTransitions();
    this.#attempts = this.#newAttempts();
    this.#retries = this.#newRetries();
    this.arrivals = this.#newArrivals();
    this.commands = new Commands(
      store,
      commandHands({
        store,
        messages: this.#messages,
        arrivals: this.arrivals,
        attempts: this.#attempts,
        retries: this.#retries,
        transitions: this.#transitions,
        nowSeconds: hands.nowSeconds,
        lifetimeSeconds: () => this.#controls.queuelifetime,
      }),
    );
    this.#deliveries.logStatus();
  }

  // --- who does what

  #newDeliveries(): Deliveries {
    const settling = new Settling(this.#store, this.#reports, () => this.#controls.virtualdomains);
    return new Deliveries(limitsOf(this.#controls), {
      spawn: this.#hands.spawn,
      settle: (message, channel, reports) => {
        for (const { recipient, report } of reports) {
          if (report.verdict === "K") continue;
          this.errors.note(message.id, recipient.address, report.text, this.#hands.nowSeconds());
        }
        return settling.settle(message, channel, reports);
      },
      breathe: this.#hands.breathe,
      jobEnded: (message, channel) => this.#attempts.jobEnded(message, channel),
      putOff: (message, jobs, atSeconds) => this.#attempts.putOff(message, jobs, atSeconds),
    }, this.#controls.shaping);
  }

  #newTransitions(): Transitions {
    return new Transitions(this.#store, this.#cleaner, this.journal, this.#reports, {
      // A lifetime that an operator ended has info tell of another birth (commands.ts); the text's file knows better.
      bounce: (bounce) =>
        this.#hands.bounce(
          bounce.place === undefined
            ? { ...bounce, arrivalSeconds: this.#store.mtime("mess", bounce.id) ?? bounce.arrivalSeconds }
            : bounce,
        ),
      asked: (id, sender) => this.#asked(id, sender),
      leftTodo: () => {
        this.#fresh--;
        this.arrivals.beginMore();
      },
      ended: (message) => this.#end(message),
      stopping: () => this.#stopping,
      breathe: () => this.#hands.breathe(),
      nowSeconds: this.#hands.nowSeconds,
    });
  }

  #newAttempts(): Attempts {
    return new Attempts(this.#store, this.#transitions, this.#reports, this.#deliveries, {
      controls: () => this.#controls,
      nowSeconds: this.#hands.nowSeconds,
      breathe: this.#hands.breathe,
      stopping: () => this.#stopping,
      track: (work) => this.#track(work),
      waits: (retry) => this.#retries.add(retry),
      rests: ({ id }) => {
        this.#retries.rests(id);
        this.#forget(id);
      },
    });
  }

  #newRetries(): Retries {
    return new Retries(this.#store, {
      nowSeconds: this.#hands.nowSeconds,
      ready: () => this.#messages.size - this.#fresh < mostRetried,
      message: (id) => this.#messages.get(id),
      asked: (id, sender) => this.#asked(id, sender),
      begin: (message, channel, left) => {
        this.#messages.set(message.id, message);
        this.#attempts.beginLater(message, channel, left);
      },
    });
  }

  #newArrivals(): Arrivals {
    return new Arrivals({
      known: (id) => this.#messages.get(id),
      hasRoom: () => !this.#stopping && this.#fresh < mostFresh,
      readTodo: (id, scanned) => this.#store.readTodo(id, scanned),
      begin: (message) => this.#begin(message),
      isDone: (serial) => this.journal.isDone(serial),
      move: (serial, id) => this.journal.move(serial, id),
    });
  }

  // --- the whole

  setControls(controls: Controls): void {
    this.#controls = controls;
    this.#deliveries.setLimits(limitsOf(controls));
    this.#deliveries.setShaping(controls.shaping);
  }

  /** SIGALRM. */
  retryAll(): void {
    this.#deliveries.endPauses();
    this.#retries.allDue();
  }

  status(): SendStatus {
    const active = this.#messages.size + this.arrivals.size;
    return {
      messages: active + this.#retries.size,
      notPreprocessed: this.#fresh + this.arrivals.size,
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
    // Who sleeps needs a while to start: what is to be cleaned up at the end has it then.
    if (this.#messages.size > 0) this.#cleaner.wake();
    const endMs = Date.now() + limitMs;
    await this.#deliveries.idle(limitMs);
    // Whether a bounce that is being queued was taken says what there is to write down.
    await atMost(this.#attempts.decided(), endMs - Date.now());
    const unwritten = [...this.#messages.values()].filter((message) => this.#attempts.isUnwritten(message));
    // qmail-queue or qmail-clean may be away, or on its way: what is left of the time is theirs.
    const moved = Promise.all(unwritten.map((message) => this.#transitions.moveToSplit(message)));
    await atMost(moved, Math.max(endMs - Date.now(), lastWordsMs));
    this.#cleaner.stop();
    await atMost(Promise.all(this.#underWay), lastWordsMs);
    log("status: exiting");
  }

  /** Up to `count` of the remote destinations that have deliveries, busiest first. */
  destinations(count: number): readonly ShownDestination[] {
    return this.#deliveries.destinations(count);
  }

  /** Starts no remote delivery to a site or domain (lower-cased) until it is resumed. */
  pause(destination: string): void {
    this.#deliveries.pause(destination);
  }

  resume(destination: string): void {
    this.#deliveries.resume(destination);
  }

  get paused(): ReadonlySet<string> {
    return this.#deliveries.paused;
  }

  // --- the messages in memory

  #begin({ recipients, options, ...fields }: NewMessage): void {
    const { id, place, sizeBytes, sender, qp, uid } = fields;
    const asked = options === undefined ? undefined : new Asked(options, sender, this.#controls);
    const message = newMessage(fields, place === undefined ? "todo" : "journal", asked);
    this.#messages.set(id, message);
    this.#fresh++;
    logMail({ event: "new", msg: id });
    logMail({ event: "info", msg: id, bytes: sizeBytes, from: sender, qp, uid });
    this.#attempts.beginFirst(message, recipients);
  }

  /** Throws what is wrong with its file. */
  #asked(id: number, sender: string): Asked | undefined {
    const options = this.#store.readOptions(id);
    return options === undefined ? undefined : new Asked(options, sender, this.#controls);
  }

  #end({ id }: Message): void {
    this.#ended++;
    this.errors.forget(id);
    logMail({ event: "end", msg: id });
    this.#forget(id);
  }

  #forget(id: number): void {
    this.#messages.delete(id);
    this.#retries.resume();
    this.arrivals.ended(id);
  }

  message(id: number): Message | undefined {
    return this.#messages.get(id);
  }

  /** What there is in memory. */
  get inMemory(): Omit<InMemory, "todo"> {
    return { messages: this.#messages.values(), journal: this.arrivals.journalMessages() };
  }

  // --- what a survey finds

  /** A survey begins, or has ended. */
  surveying(begins: boolean): void {
    this.#retries.surveying(begins);
  }

  /** Whether a message of this number is in memory, or was since the survey began. */
  knows(id: number): boolean {
    return this.#messages.has(id) || this.arrivals.has(id) || this.#retries.restedSince(id);
  }

  /** Whether there is no room for another message that only waits for its end. */
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
    this.#track(this.#transitions.removeAbandoned(id).finally(() => held.close()));
  }

  // --- out of the journal before the end of a first attempt

  /** Messages that are in the journal, as far as is known here. */
  get journalMessages(): number {
    let count = this.arrivals.journalSize;
    for (const { place } of this.#messages.values()) if (place !== undefined) count++;
    return count;
  }

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

  /** Has every message leave the journal. */
  vacateAll(): void {
    for (const { place } of [...this.arrivals.journalMessages()]) this.arrivals.vacate(place.serial);
    this.#vacating.add([...this.#messages.values()].filter(({ place }) => place !== undefined));
  }

  #vacateOne(message: Message): Promise<void> | undefined {
    // Its end is on its way; what is bounced just now must not be written down to be bounced again.
    if (this.#stopping || message.stage !== "journal" || this.#attempts.deciding(message) !== undefined) {
      return undefined;
    }
    const withdrawn = this.#attempts.withdraw(message, this.#hands.nowSeconds());
    this.#track(withdrawn);
    return withdrawn;
  }

  // --- what an orderly end waits for

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
