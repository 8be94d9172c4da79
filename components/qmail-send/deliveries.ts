/**
 * Deliveries under way: starts what the dispatcher gives, numbers and logs each, and tells what came of it. A delivery
 * whose process died is made again soon, a few times; after that it counts as a deferral, for the message may be what
 * kills the process.
 * @module
 */
import { domainOf } from "../lib/address/parse_domain.ts";
import { breatheInSlices } from "../lib/process/breathe.ts";
import type { Channel } from "../lib/queue/layout.ts";
import type { Shaping } from "../lib/shaping/shaping_file.ts";
import type { ShownDestination } from "../lib/wire/control_protocol.ts";
import type { DeliveryReport, SpawnReply, Verdict } from "../lib/wire/delivery_protocol.ts";
import { type Added, Dispatcher, type Job, mostTogether, type Recipient } from "./dispatcher.ts";
import type { TakenBack } from "./lanes.ts";
import { logMail } from "./log_lines.ts";
import type { Message } from "./message.ts";
import { nextHopOf, outcomeOf, toldBy } from "./outcome.ts";
import { mostLosses, retryAfterLoss } from "./timing.ts";
import { expandVerp } from "./verp.ts";
import { WarmUps } from "./warm_up.ts";

/** Reports of so many recipients take their turn with others. */
const manyRecipients = 10;
/** While others have mail, such reports rest so long after {@link mostTogether}: bulk must not have the whole machine. */
const courtesyMs = 8;
/** Others have mail for so long after a delivery to few. */
const othersMs = 1000;
/** Destinations that wait for their time are looked at no more often, and after a clock was set back no later. */
const tickMs = 100;
const longestTickMs = 60_000;
const tooLong = "I'm not going to try again; this message has been in the queue too long.\n";

/** A message with very many to put off is due when the first of so many is. */
const mostLookedAt = 1000;

/** What an attempt did for one recipient. */
export interface Settled {
  readonly recipient: Recipient;
  readonly report: DeliveryReport;
}

export interface DeliveryEvents {
  /** Has one job delivered; `lost` when the process that should do it died. */
  spawn(job: Job<Message>, sender: string): Promise<SpawnReply>;
  /** Writes down what an attempt did; sets the recipients' states. */
  settle(message: Message, channel: Channel, settled: readonly Settled[]): Promise<void> | undefined;
  /** Settles in a later turn of the event loop, `ms` from now or soon. */
  breathe(ms?: number): Promise<void>;
  /** One job of the message's pass has reported for all its recipients. */
  jobEnded(message: Message, channel: Channel): void;
  /** Remote deliveries of the message's pass are not made in this attempt, and are due again then. */
  putOff(message: Message, jobs: readonly Job<Message>[], atSeconds: number): void;
}

export class Deliveries {
  readonly #dispatcher: Dispatcher<Message>;
  readonly #events: DeliveryEvents;
  readonly counts: Record<Verdict, number> = { K: 0, Z: 0, D: 0 };
  #started = 0;
  #turns: Promise<void> = Promise.resolve();
  /** In reports of many recipients, since others were let pass: so many recipients. */
  #reported = 0;
  readonly #breatheInSlices: () => Promise<void>;
  /** When a delivery to few was started last. */
  #othersAtMs = -Infinity;
  #stopping = false;
  readonly #warmUps: WarmUps;
  /** What has to be put off once whoever adds has done so. */
  #putOff: TakenBack<Job<Message>>[] = [];
  /** One timer for all destinations that wait for their time. */
  #tick: ReturnType<typeof setTimeout> | undefined;
  #tickAtMs = Infinity;

  constructor(limits: Readonly<Record<Channel, number>>, events: DeliveryEvents, shaping?: Shaping) {
    this.#dispatcher = new Dispatcher(limits, shaping);
    this.#warmUps = new WarmUps(shaping?.warmUps ?? new Map());
    this.#events = events;
    this.#breatheInSlices = breatheInSlices(() => events.breathe());
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

  setShaping(shaping: Shaping): void {
    this.#warmUps.setSchedules(shaping.warmUps);
    this.#dispatcher.setShaping(shaping, Date.now());
    this.#pump();
  }

  /** What remote mail for a domain (lower-cased) may travel with: equal for domains of one relay. */
  wayOf(domain: string): string {
    return this.#dispatcher.wayOf(domain);
  }

  /** Adds one message's deliveries of one channel. */
  add(channel: Channel, jobs: readonly Job<Message>[]): Added<Message> {
    const ready = channel === "remote" && !this.#warmUps.none ? jobs.filter((job) => this.#isWarm(job)) : jobs;
    const added = this.#dispatcher.add(channel, ready, Date.now());
    this.#pump();
    return added;
  }

  /** Whether its sender may send it today; otherwise it is put off. A last attempt is not. */
  #isWarm(job: Job<Message>): boolean {
    const { message: { sender } } = job;
    const atMs = this.#warmUps.take(sender, Date.now());
    if (atMs === "now" || isDying(job)) return true;
    this.#putOffLater([{ job, atMs, reason: "" }]);
    return false;
  }

  /** Takes back those of them that have not been started. */
  remove(channel: Channel, added: Added<Message>): Job<Message>[] {
    return this.#dispatcher.remove(channel, added, Date.now());
  }

  /** SIGALRM: has every destination tried that is paused for its setbacks. */
  endPauses(): void {
    this.#dispatcher.endPauses(Date.now());
    this.#pump();
  }

  /** Starts no remote delivery to a site or domain (lower-cased) until it is resumed. */
  pause(destination: string): void {
    const taken = this.#dispatcher.pause(destination, Date.now());
    // A last attempt ends for those of that domain alone: with others it stays together, and goes.
    const stays = ({ job }: TakenBack<Job<Message>>) => isDying(job) && !isForOneDomain(job);
    this.#takenBack(taken.filter((one) => !stays(one)));
    this.#dispatcher.add("remote", taken.filter(stays).map(({ job }) => job), Date.now());
    // More may wait for it than is kept in memory.
    this.#pump();
  }

  resume(destination: string): void {
    this.#dispatcher.resume(destination);
    this.#pump();
  }

  get paused(): ReadonlySet<string> {
    return this.#dispatcher.paused;
  }

  /** Up to `count` of the remote destinations that have deliveries, busiest first. */
  destinations(count: number): readonly ShownDestination[] {
    return this.#dispatcher.destinations(count, Date.now());
  }

  /** Starts no more. */
  stop(): void {
    this.#stopping = true;
    clearTimeout(this.#tick);
  }

  /** Settles when nothing runs any more, or after `limitMs`. */
  async idle(limitMs: number): Promise<void> {
    const end = Date.now() + limitMs;
    while (Date.now() < end && (this.running.local > 0 || this.running.remote > 0)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  logStatus(): void {
    logMail({ event: "status", running: this.running, limits: this.limits, exiting: this.#stopping });
  }

  #pump(): void {
    while (!this.#stopping) {
      const job = this.#dispatcher.next(Date.now());
      if (job === undefined) break;
      this.#run(job);
    }
    if (this.#stopping) return;
    this.#takenBack(this.#dispatcher.takeBack(Date.now()));
    if (this.#dispatcher.wakeAtMs < this.#tickAtMs) this.#setTick();
  }

  #takenBack(taken: readonly TakenBack<Job<Message>>[]): void {
    if (taken.length === 0) return;
    for (const { job } of taken) this.#warmUps.putBack(job.message.sender, Date.now());
    this.#putOffLater(taken);
  }

  // --- what waits for its time

  #setTick(): void {
    clearTimeout(this.#tick);
    this.#tickAtMs = this.#dispatcher.wakeAtMs;
    const delayMs = Math.min(Math.max(tickMs, this.#tickAtMs - Date.now()), longestTickMs);
    this.#tick = setTimeout(() => {
      this.#tickAtMs = Infinity;
      this.#dispatcher.tick(Date.now());
      this.#pump();
    }, delayMs);
  }

  /** Not at once: what is put off may be all there is of a pass whose other part is just being added. */
  #putOffLater(more: readonly TakenBack<Job<Message>>[]): void {
    if (this.#putOff.length === 0) queueMicrotask(() => this.#putAllOff());
    for (const one of more) this.#putOff.push(one);
  }

  #putAllOff(): void {
    const all = this.#putOff;
    this.#putOff = [];
    const byMessage = new Map<Message, TakenBack<Job<Message>>[]>();
    for (const one of all) {
      const { message } = one.job;
      // In a last attempt there is no later.
      if (isDying(one.job)) void this.#giveUp(one);
      else if (byMessage.has(message)) byMessage.get(message)!.push(one);
      else byMessage.set(message, [one]);
    }
    for (const [message, ones] of byMessage) {
      const atMs = Math.min(...ones.slice(0, mostLookedAt).map((one) => one.atMs));
      this.#events.putOff(message, ones.map(({ job }) => job), Math.ceil(atMs / 1000));
    }
  }

  /** The message's lifetime ends while nothing can be sent there. */
  async #giveUp({ job, reason }: TakenBack<Job<Message>>): Promise<void> {
    const text = `Sorry, mail is being held back from ${reason} (#4.4.7)\n`;
    const reports = job.recipients.map((): DeliveryReport => ({ verdict: "Z", text }));
    const numbers = this.#announce(job);
    await this.#turn(job);
    await this.#report(job, numbers, { lost: false, reports });
  }

  // --- one delivery

  /** Numbers a job's deliveries, and logs that they begin. */
  #announce({ message, channel, recipients }: Job<Message>): readonly number[] {
    return recipients.map((recipient) => {
      recipient.state = "running";
      const delivery = ++this.#started;
      logMail({ event: "starting", delivery, msg: message.id, channel, to: recipient.address });
      return delivery;
    });
  }

  #run(job: Job<Message>): void {
    const { message, channel, recipients } = job;
    if (recipients.length < manyRecipients) this.#othersAtMs = performance.now();
    const numbers = this.#announce(job);
    this.logStatus();
    void this.#events.spawn(job, expandVerp(message.sender, recipients[0]?.address ?? "")).then(async (reply) => {
      // It has its slot until its report's turn: else deliveries end faster than what they did is written down, and a crash
      // makes all those again.
      await this.#turn(job);
      if (channel === "local") this.#dispatcher.ended(job, outcomeOf(reply));
      else {
        this.#dispatcher.ended(job, outcomeOf(reply), toldBy(reply), Date.now());
        this.#partWays(job, reply);
      }
      await this.#report(job, numbers, reply);
    });
  }

  /** Routes have changed: what travelled together has gone to several relays. The next time it goes by itself. */
  #partWays({ recipients }: Job<Message>, { reports }: SpawnReply): void {
    const [first] = reports;
    if (reports.every(({ next }) => next?.relay === first?.next?.relay)) return;
    reports.forEach(({ next }, at) => {
      if (next !== undefined) this.#dispatcher.learnRelay(domainOf(recipients[at]!.address), next.relay ?? "");
    });
  }

  /** Logs what came of a job's deliveries, and has it written down. */
  async #report(job: Job<Message>, numbers: readonly number[], reply: SpawnReply): Promise<void> {
    const { message, channel, recipients } = job;
    const next = channel === "remote" ? nextHopOf(reply) : undefined;
    if (next !== undefined && next.tls !== "") {
      logMail({ event: "tls", delivery: numbers[0]!, msg: message.id, tls: next.tls });
    }
    // The report waits for that to end, others need not.
    if (message.moving !== undefined) this.#pump();
    const tell = (at: number, { address: to }: Recipient, { verdict, text }: DeliveryReport) => {
      logMail({ event: "delivery", delivery: numbers[at]!, msg: message.id, channel, to, verdict, report: text, next });
    };
    const again: Recipient[] = [];
    const settled: Settled[] = [];
    for (const [at, recipient] of recipients.entries()) {
      const report = reply.reports[at]!;
      if (reply.lost && ++recipient.losses < mostLosses) {
        tell(at, recipient, { verdict: "Z", text: report.text });
        recipient.state = "pending";
        again.push(recipient);
        continue;
      }
      const final = message.passes.get(channel)?.dying === true ? lastReport(report) : report;
      tell(at, recipient, final);
      this.counts[final.verdict]++;
      settled.push({ recipient, report: final });
    }
    const written = this.#events.settle(message, channel, settled);
    if (written !== undefined) await written;
    this.logStatus();
    if (again.length > 0) this.#repeat({ ...job, recipients: again });
    else this.#events.jobEnded(message, channel);
    this.#pump();
  }

  /**
   * Settles when all who asked before have had their turn, and others were given theirs: twenty transactions of a large
   * message may end at one time. A delivery to few waits for none.
   */
  #turn({ recipients }: Job<Message>): Promise<void> | undefined {
    if (recipients.length < manyRecipients) return undefined;
    this.#turns = this.#turns.then(() => {
      this.#reported += recipients.length;
      if (this.#reported < mostTogether || performance.now() - this.#othersAtMs >= othersMs) {
        return this.#breatheInSlices();
      }
      this.#reported = 0;
      return this.#events.breathe(courtesyMs);
    });
    return this.#turns;
  }

  #repeat(job: Job<Message>): void {
    const losses = Math.max(...job.recipients.map((recipient) => recipient.losses));
    setTimeout(() => {
      this.#dispatcher.add(job.channel, [job], Date.now());
      this.#pump();
    }, retryAfterLoss(losses) * 1000);
  }
}

function isDying({ message, channel }: Job<Message>): boolean {
  return message.passes.get(channel)?.dying === true;
}

function isForOneDomain({ recipients }: Job<Message>): boolean {
  const [first, ...others] = recipients.map(({ address }) => domainOf(address));
  return others.every((domain) => domain === first);
}

/** Past the message's lifetime a deferral is a failure. */
function lastReport(report: DeliveryReport): DeliveryReport {
  return report.verdict === "Z" ? { verdict: "D", text: report.text + tooLong } : report;
}
