/**
 * Whose delivery is next on one channel.
 *
 * A message's deliveries are a pass: a lane for each destination. A destination has room for some lanes at a time, first
 * come first served; for those room is kept (they are released), the others are parked. Passes that have released lanes
 * take turns, one delivery each, and so do the released lanes of a pass. A lane that has had its turn goes behind all
 * others of its destination.
 *
 * No pass has all slots (shares.ts): one that has three quarters of them waits, out of turn, until one of its deliveries
 * ends. Nor has a lane all the room of its destination: it is passed over while it has nearly all of that. A fresh message
 * finds a slot at once then, even where a bulk message's deliveries take long and end together.
 *
 * So a message waits for each other one at most once, and at a busy destination for each lane before it at most once. No
 * step looks through passes, lanes or destinations: what lost its room meanwhile (a window was halved, a limit lowered, a
 * destination paused) is parked again when its turn comes, which its release has paid for. Two steps do, each as seldom as
 * it can: a domain's first report moves what waits for it to its site's destination, and a tick looks at the destinations
 * that wait for their time.
 * @module
 */
import { namedRules, type Shaping, type SiteRules } from "../lib/shaping/shaping_file.ts";
import type { ShownDestination } from "../lib/wire/control_protocol.ts";
import { type Destination, Destinations, siteKey } from "./destinations.ts";
import { hasWaiting, Lane, moveLanes, Pass, takeAll, type TakenBack, takeSurplus } from "./lanes.ts";
import { LinkedList } from "./linked_list.ts";
import type { Outcome, Told } from "./outcome.ts";
import { Resting } from "./resting.ts";
import { mostForDestination, mostForMessage, mostOfRoom, Neighbours } from "./shares.ts";
import { Sites } from "./sites.ts";
import { Unreachable } from "./unreachable.ts";

/** A delivery under way. */
interface Started<J> {
  readonly lane: Lane<J>;
  /** It may have moved since. */
  readonly destination: Destination<Lane<J>>;
  /** Deliveries started so far, with this one. */
  readonly serial: number;
}

/** Those who wait for nothing are paced by nothing. */
const unpaced: SiteRules = {
  ...{ concurrency: Infinity, start: Infinity, rate: undefined, backoff: undefined },
  ...{ failures: 1, idleSeconds: 0 },
};
const untold: Told = { site: "", code: 0, error: undefined };

export class Turns<J extends { readonly destination: string }> {
  /** How destinations are paced; undefined: not at all. */
  #shaping: Shaping | undefined;
  readonly #destinations: Destinations<Lane<J>>;
  /** The keys of the sites of domains. */
  readonly #sites = new Sites();
  /** Those with released lanes; first those whose turn is due. */
  readonly #due = new LinkedList<Pass<J>>();
  readonly #passes = new LinkedList<Pass<J>>();
  readonly #started = new Map<J, Started<J>>();
  readonly #unreachable = new Unreachable<Lane<J>>();
  readonly #resting = new Resting<Lane<J>>();
  /** Those where more may wait than is kept in memory. */
  readonly #crowded = new Set<Destination<Lane<J>>>();
  /** Deliveries started so far. */
  #serial = 0;
  #limit: number;
  readonly #neighbours = new Neighbours();
  /** The latest time that was told. */
  #nowMs = 0;

  constructor(limit: number, shaping?: Shaping) {
    this.#limit = limit;
    this.#shaping = shaping;
    this.#destinations = new Destinations((name) => this.#rulesFor(name));
  }

  get running(): number {
    return this.#started.size;
  }

  get limit(): number {
    return this.#limit;
  }

  get paused(): ReadonlySet<string> {
    return this.#destinations.paused;
  }

  setLimit(limit: number): void {
    this.#limit = limit;
    for (const destination of this.#destinations.busy) this.#fill(destination);
    for (const { lane } of this.#started.values()) this.#takeTurns(lane.pass);
  }

  /** Other rules from now on. What a domain has waiting stays where it is, even where a line names it now. */
  setShaping(shaping: Shaping, nowMs: number): void {
    if (shaping === this.#shaping) return;
    this.#shaping = shaping;
    this.#destinations.setRules((name) => this.#rulesFor(name));
    this.#lookAtAll(nowMs);
  }

  /** No destination is paused for its setbacks any more: each is tried with one delivery. */
  endPauses(nowMs: number): void {
    this.#destinations.endPauses();
    this.#lookAtAll(nowMs);
  }

  #lookAtAll(nowMs: number): void {
    for (const destination of this.#destinations.busy) {
      this.#resting.lookAt(destination, nowMs);
      this.#fill(destination);
      this.#lookForCrowd(destination);
    }
  }

  /** Adds one message's deliveries. */
  add(jobs: readonly J[], nowMs = 0): Pass<J> {
    const lanes = new Map<string, J[]>();
    for (const job of jobs) {
      const lane = lanes.get(job.destination);
      if (lane === undefined) lanes.set(job.destination, [job]);
      else lane.push(job);
    }
    this.#nowMs = nowMs;
    this.#neighbours.note(this.#destinations.none, nowMs);
    const pass = new Pass<J>();
    for (const [domain, jobs] of lanes) {
      const destination = this.#destinations.open(this.#keyOf(domain), nowMs);
      if (destination.running === 0 && destination.waiting === 0) this.#resting.add(destination, nowMs);
      destination.waiting += jobs.length;
      const there = pass.lanes.get(destination);
      if (there === undefined) {
        const added = new Lane(pass, destination, jobs.reverse());
        pass.lanes.set(destination, added);
        destination.parked.addLast(added.placeAtDestination);
        this.#fill(destination);
      } else {
        // Another domain of the same site.
        for (const job of jobs) there.jobs.push(job);
      }
      this.#lookForCrowd(destination);
    }
    return pass;
  }

  /** What deliveries to a domain are paced as: its site, where that is known, or the domain itself. */
  #keyOf(domain: string): string {
    return this.#ownKey(domain) ?? this.#sites.get(domain) ?? domain;
  }

  /** Of a domain that stands alone; else undefined. */
  #ownKey(domain: string): string | undefined {
    if (this.#shaping === undefined) return domain;
    if (namedRules(this.#shaping, domain) !== undefined) return siteKey(domain);
    return this.#destinations.paused.has(domain) ? domain : undefined;
  }

  /** Whether a domain is paced by itself, whatever its site: by the operator's wish, or for want of any pace. */
  standsAlone(domain: string): boolean {
    return this.#ownKey(domain) !== undefined;
  }

  #rulesFor(name: string): SiteRules {
    return this.#shaping === undefined ? unpaced : namedRules(this.#shaping, name) ?? this.#shaping.others;
  }

  /** Takes back those of a message's deliveries that have not been started. */
  remove(pass: Pass<J>, nowMs = 0): J[] {
    const removed: J[] = [];
    for (const { jobs, destination, placeInPass, placeAtDestination } of pass.lanes.values()) {
      if (jobs.length === 0) continue;
      this.#unreachable.count(destination, -1);
      destination.waiting -= jobs.length;
      placeAtDestination.leave();
      placeInPass.leave();
      this.#unreachable.count(destination, 1);
      for (const job of jobs.splice(0)) removed.push(job);
      this.#fill(destination);
      this.#closeIfIdle(destination, nowMs);
    }
    pass.lanes.clear();
    pass.turn.leave();
    return removed;
  }

  /**
   * Takes back what waits for destinations that cannot take it for a while: those in a pause, and what exceeds a minute of
   * a rate. It would only fill the memory; who gets it adds it again at its time.
   */
  takeBack(nowMs: number): TakenBack<J>[] {
    if (this.#crowded.size === 0) return [];
    const taken: TakenBack<J>[] = [];
    for (const destination of this.#crowded) {
      const { name, lastError } = destination;
      const reason = `${name}: ${lastError}`;
      for (const job of takeSurplus(destination, destination.mostWaiting)) {
        taken.push({ job, atMs: destination.comeBackAtMs(nowMs), reason });
      }
      this.#closeIfIdle(destination, nowMs);
    }
    this.#crowded.clear();
    return taken;
  }

  /** Twice as many as are kept, so that each that is taken back has paid for the search. */
  #lookForCrowd(destination: Destination<Lane<J>>): void {
    if (destination.waiting > 2 * destination.mostWaiting) this.#crowded.add(destination);
  }

  /** The next delivery, which takes a slot; undefined when nothing can be started. */
  next(nowMs = 0): J | undefined {
    this.#nowMs = nowMs;
    while (this.running < this.#limit) {
      const pass = this.#due.first ?? this.#passes.first;
      const lane = pass?.released.first;
      if (pass === undefined || lane === undefined) return undefined;
      if (!this.#hasSlotFor(pass)) {
        // The limit was lowered.
        pass.turn.leave();
        continue;
      }
      if (this.#mayStart(lane)) return this.#start(lane, nowMs);
      while (lane.destination.released.size > 0) this.#park(lane.destination);
      this.#fill(lane.destination);
    }
    return undefined;
  }

  /** Gives a delivery's slot back. */
  ended(job: J, outcome: Outcome, told: Told = untold, nowMs = 0): void {
    const started = this.#started.get(job);
    if (started === undefined) throw new Error("a delivery ended that was not under way");
    this.#started.delete(job);
    const { lane, serial } = started;
    const { pass } = lane;
    let destination = started.destination.movedTo ?? started.destination;
    pass.running--;
    (lane.joined ?? lane).running--;
    this.#unreachable.count(destination, -1);
    destination.running--;
    this.#unreachable.count(destination, 1);
    if (this.#shaping !== undefined) {
      destination = this.#learnSite(destination, job.destination, told.site, nowMs);
      if (told.error !== undefined) destination.noteError(told.code, told.error);
      this.#unreachable.count(destination, -1);
      destination.pace.learn(outcome, {
        startedAt: serial,
        latest: this.#serial,
        most: this.#mostForDestination,
        nowMs,
      });
      this.#unreachable.count(destination, 1);
      this.#resting.lookAt(destination, nowMs);
      this.#lookForCrowd(destination);
    }
    if (!destination.unreachable) destination.hope.leave();
    this.#fill(destination);
    this.#fillUnreachable();
    this.#takeTurns(pass);
    this.#closeIfIdle(destination, nowMs);
  }

  /** Learns the site of `domain`, a delivery to which ended at `destination`; answers where what is left of it is now. */
  #learnSite(destination: Destination<Lane<J>>, domain: string, site: string, nowMs: number): Destination<Lane<J>> {
    if (site === "") return destination;
    const key = siteKey(site);
    if (this.#sites.get(domain) !== key) this.#sites.set(domain, key);
    // A site keeps what it has: what comes later finds the one that is known then.
    if (destination.isSite || destination.paused || this.#keyOf(domain) !== key) return destination;
    const isStranger = this.#destinations.isStranger(key);
    const there = this.#destinations.open(key, nowMs);
    while (destination.released.size > 0) this.#park(destination);
    destination.hope.leave();
    this.#resting.remove(destination);
    this.#crowded.delete(destination);
    this.#unreachable.count(destination, -1);
    this.#unreachable.count(there, -1);
    moveLanes(destination, there);
    if (isStranger) {
      there.pace = destination.pace;
      there.pace.setRules(this.#rulesFor(site));
      there.noteError(destination.lastCode, destination.lastError);
    }
    this.#unreachable.count(there, 1);
    this.#destinations.drop(destination);
    return there;
  }

  // --- waiting for their time

  /** When {@link tick} is to be called next: ms since 1970, Infinity for never. */
  get wakeAtMs(): number {
    return this.#resting.wakeAtMs;
  }

  /** Has those go on whose time has come. Looks at all who wait for theirs: not more often than needed. */
  tick(nowMs: number): void {
    for (const destination of this.#resting.takeReady(nowMs)) this.#fill(destination);
  }

  // --- turns

  #hasSlotFor(pass: Pass<J>): boolean {
    return pass.running < this.#mostForMessage;
  }

  /** Has it wait for its turn, unless it does, or has nothing to start, or as many under way as it may have. */
  #takeTurns(pass: Pass<J>): void {
    if (pass.released.size === 0 || pass.turn.list !== undefined || !this.#hasSlotFor(pass)) return;
    (pass.turnIsDue ? this.#due : this.#passes).addLast(pass.turn);
    pass.turnIsDue = false;
  }

  #closeIfIdle(destination: Destination<Lane<J>>, nowMs: number): void {
    if (destination.running > 0 || destination.waiting > 0) return;
    this.#resting.remove(destination);
    this.#crowded.delete(destination);
    this.#destinations.close(destination, nowMs);
  }

  /**
   * Starts nothing for sites and domains of this name from now on; a domain whose site is known waits for itself then. What
   * waits elsewhere, and is for that domain too (`concerns`), is taken back, to be cut and added anew. Looks at all that
   * waits.
   */
  pause(name: string, concerns: (job: J) => boolean, nowMs = 0): TakenBack<J>[] {
    const taken: TakenBack<J>[] = [];
    for (const destination of this.#destinations.pause(name)) this.#lookForCrowd(destination);
    for (const destination of [...this.#destinations.busy]) {
      if (destination.name === name || !hasWaiting(destination, concerns)) continue;
      while (destination.released.size > 0) this.#park(destination);
      for (const job of takeAll(destination, concerns)) taken.push({ job, atMs: nowMs, reason: name });
      this.#fill(destination);
      this.#closeIfIdle(destination, nowMs);
    }
    return taken;
  }

  resume(name: string): void {
    for (const destination of this.#destinations.resume(name)) this.#fill(destination);
  }

  view(count: number, nowMs = 0): ShownDestination[] {
    return this.#destinations.view(count, this.#mostForDestination, nowMs);
  }

  get #mostForMessage(): number {
    return this.#shaping !== undefined
      ? mostForMessage(this.#limit)
      : this.#neighbours.mostForMessage(this.#limit, this.#nowMs);
  }

  get #mostForDestination(): number {
    return this.#shaping !== undefined ? mostForDestination(this.#limit) : Infinity;
  }

  #mayStart({ running: ofMessage, destination: { closed, running, pace, unreachable } }: Lane<J>): boolean {
    const room = pace.room(this.#mostForDestination);
    return !closed && running < room && ofMessage < mostOfRoom(room) &&
      (!unreachable || this.#unreachable.mayStart(this.#limit));
  }

  /** The parked lane that is next to have room kept for it, if there is room. */
  #nextParked({ closed, parked, held, pace }: Destination<Lane<J>>): Lane<J> | undefined {
    const room = pace.room(this.#mostForDestination);
    if (closed || held >= room) return undefined;
    const most = mostOfRoom(room);
    // Few are passed over: each has most of the room.
    let entry = parked.first?.placeAtDestination;
    while (entry !== undefined && entry.value.running >= most) entry = entry.after;
    return entry?.value;
  }

  #start(lane: Lane<J>, nowMs: number): J {
    const { pass, destination, jobs } = lane;
    const job = jobs.pop()!;
    this.#started.set(job, { lane, destination, serial: ++this.#serial });
    pass.running++;
    lane.running++;
    // The room that was kept is the one that is taken.
    destination.waiting--;
    destination.running++;
    this.#unreachable.started(destination);
    lane.placeInPass.leave();
    if (jobs.length > 0) destination.parked.addLast(lane.placeAtDestination);
    else lane.placeAtDestination.leave();
    if (pass.released.size > 0 && this.#hasSlotFor(pass)) this.#passes.addLast(pass.turn);
    else pass.turn.leave();
    if (destination.pace.rate !== undefined) {
      destination.pace.spend(nowMs);
      this.#resting.add(destination, nowMs);
    }
    this.#fill(destination);
    return job;
  }

  /** Releases what there is room for. */
  #fill(destination: Destination<Lane<J>>): void {
    if (destination.unreachable) {
      if (this.#nextParked(destination) !== undefined) this.#unreachable.hope(destination);
      return this.#fillUnreachable();
    }
    for (let lane = this.#nextParked(destination); lane !== undefined; lane = this.#nextParked(destination)) {
      this.#release(lane);
    }
  }

  #fillUnreachable(): void {
    const next = () => this.#unreachable.next(this.#limit);
    for (let destination = next(); destination !== undefined; destination = next()) {
      const lane = this.#nextParked(destination);
      // It may have been paused, or its window halved.
      if (lane === undefined) continue;
      this.#release(lane);
      if (this.#nextParked(destination) !== undefined) this.#unreachable.hope(destination);
    }
  }

  #release(lane: Lane<J>): void {
    const { pass, destination } = lane;
    destination.released.addLast(lane.placeAtDestination);
    this.#unreachable.kept(destination, 1);
    pass.released.addLast(lane.placeInPass);
    this.#takeTurns(pass);
  }

  /** Takes the room back from the lane that got it last. */
  #park(destination: Destination<Lane<J>>): void {
    const lane = destination.released.last!;
    const { pass } = lane;
    destination.parked.addFirst(lane.placeAtDestination);
    this.#unreachable.kept(destination, -1);
    lane.placeInPass.leave();
    if (pass.released.size > 0) return;
    pass.turn.leave();
    pass.turnIsDue = true;
  }
}
