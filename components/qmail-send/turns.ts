/**
 * Whose delivery is next on one channel.
 *
 * A message's deliveries are a pass: a lane for each destination. A destination has room for some lanes at a time, first
 * come first served; for those room is kept (they are released), the others are parked. Passes that have released lanes
 * take turns, one delivery each, and so do the released lanes of a pass. A lane that has had its turn goes behind all
 * others of its destination.
 *
 * No pass has all slots: one that has three quarters of them waits, out of turn, until one of its deliveries ends. A
 * fresh message finds a slot at once then, even where a bulk message's deliveries take long and end together.
 *
 * So a message waits for each other one at most once, and at a busy destination for each lane before it at most once. No
 * step looks through passes, lanes or destinations: what lost its room meanwhile (a window was halved, a limit lowered, a
 * destination paused) is parked again when its turn comes, which its release has paid for.
 * @module
 */
import {
  type Destination,
  Destinations,
  type DestinationView,
  firstWindow,
  mostForOne,
  mostForUnreachable,
} from "./destinations.ts";
import { Entry, LinkedList } from "./linked_list.ts";
import type { Outcome } from "./outcome.ts";

/** One message's deliveries of this channel: what {@link Turns.add} answers, for {@link Turns.remove}. */
class Pass<J> {
  lanes: Lane<J>[] = [];
  /** Its lanes with room at their destinations. */
  readonly released = new LinkedList<Lane<J>>();
  /** Its deliveries under way. */
  running = 0;
  /** Its place among the passes that take turns. */
  readonly turn = new Entry<Pass<J>>(this);
  /** Whether it waited for a turn when it lost its room: it need not wait for that again. */
  turnIsDue = false;
}

/** A pass's deliveries to one destination. */
class Lane<J> {
  readonly pass: Pass<J>;
  readonly destination: Destination<Lane<J>>;
  /** Next one last. */
  readonly jobs: J[];
  readonly placeInPass = new Entry<Lane<J>>(this);
  readonly placeAtDestination = new Entry<Lane<J>>(this);

  constructor(pass: Pass<J>, destination: Destination<Lane<J>>, jobs: J[]) {
    this.pass = pass;
    this.destination = destination;
    this.jobs = jobs;
  }
}

/** A delivery under way. */
interface Started<J> {
  readonly pass: Pass<J>;
  readonly destination: Destination<Lane<J>>;
  /** The destination's, when it started. */
  readonly halvings: number;
}

export type { Pass };

export class Turns<J extends { readonly destination: string }> {
  /** Whether destinations have windows. */
  readonly #windows: boolean;
  readonly #destinations: Destinations<Lane<J>>;
  /** Those with released lanes; first those whose turn is due. */
  readonly #due = new LinkedList<Pass<J>>();
  readonly #passes = new LinkedList<Pass<J>>();
  readonly #started = new Map<J, Started<J>>();
  /** Unreachable destinations whose windows have room, but not all unreachable ones together; they take turns as well. */
  readonly #hopeful = new LinkedList<Destination<Lane<J>>>();
  /** Deliveries of unreachable destinations under way; the same with the room kept for others. */
  #unreachableRunning = 0;
  #unreachableHeld = 0;
  #limit: number;

  constructor(limit: number, options: { readonly windows: boolean }) {
    this.#limit = limit;
    this.#windows = options.windows;
    this.#destinations = new Destinations(options.windows ? firstWindow : Infinity);
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
    for (const { pass } of this.#started.values()) this.#takeTurns(pass);
  }

  /** Adds one message's deliveries. */
  add(jobs: readonly J[]): Pass<J> {
    const lanes = new Map<string, J[]>();
    for (const job of jobs) {
      const lane = lanes.get(job.destination);
      if (lane === undefined) lanes.set(job.destination, [job]);
      else lane.push(job);
    }
    const pass = new Pass<J>();
    for (const [name, lane] of lanes) {
      const destination = this.#destinations.open(name);
      destination.waiting += lane.length;
      const added = new Lane(pass, destination, lane.reverse());
      pass.lanes.push(added);
      destination.parked.addLast(added.placeAtDestination);
      this.#fill(destination);
    }
    return pass;
  }

  /** Takes back those of a message's deliveries that have not been started. */
  remove(pass: Pass<J>): J[] {
    const removed: J[] = [];
    for (const { jobs, destination, placeInPass, placeAtDestination } of pass.lanes) {
      if (jobs.length === 0) continue;
      this.#countUnreachable(destination, -1);
      destination.waiting -= jobs.length;
      placeAtDestination.leave();
      placeInPass.leave();
      this.#countUnreachable(destination, 1);
      for (const job of jobs.splice(0)) removed.push(job);
      this.#fill(destination);
      this.#closeIfIdle(destination);
    }
    pass.lanes = [];
    pass.turn.leave();
    return removed;
  }

  /** The next delivery, which takes a slot; undefined when nothing can be started. */
  next(): J | undefined {
    while (this.running < this.#limit) {
      const pass = this.#due.first ?? this.#passes.first;
      const lane = pass?.released.first;
      if (pass === undefined || lane === undefined) return undefined;
      if (!this.#hasSlotFor(pass)) {
        // The limit was lowered.
        pass.turn.leave();
        continue;
      }
      if (this.#mayStart(lane.destination)) return this.#start(lane);
      while (lane.destination.released.size > 0) this.#park(lane.destination);
      this.#fill(lane.destination);
    }
    return undefined;
  }

  /** Gives a delivery's slot back. */
  ended(job: J, outcome: Outcome): void {
    const started = this.#started.get(job);
    if (started === undefined) throw new Error("a delivery ended that was not under way");
    this.#started.delete(job);
    const { pass, destination, halvings } = started;
    pass.running--;
    this.#countUnreachable(destination, -1);
    destination.running--;
    if (this.#windows) destination.learn(outcome, halvings, this.#mostForOne);
    this.#countUnreachable(destination, 1);
    if (!destination.unreachable) destination.hope.leave();
    this.#fill(destination);
    this.#fillHopeful();
    this.#takeTurns(pass);
    this.#closeIfIdle(destination);
  }

  #hasSlotFor(pass: Pass<J>): boolean {
    return pass.running < mostForOne(this.#limit);
  }

  /** Has it wait for its turn, unless it does, or has nothing to start, or as many under way as it may have. */
  #takeTurns(pass: Pass<J>): void {
    if (pass.released.size === 0 || pass.turn.list !== undefined || !this.#hasSlotFor(pass)) return;
    (pass.turnIsDue ? this.#due : this.#passes).addLast(pass.turn);
    pass.turnIsDue = false;
  }

  #closeIfIdle(destination: Destination<Lane<J>>): void {
    if (destination.running === 0 && destination.waiting === 0) this.#destinations.close(destination);
  }

  /** Starts nothing for this destination from now on. */
  pause(name: string): void {
    this.#destinations.pause(name);
  }

  resume(name: string): void {
    this.#destinations.resume(name);
    const destination = this.#destinations.find(name);
    if (destination !== undefined) this.#fill(destination);
  }

  view(count: number): DestinationView[] {
    return this.#destinations.view(count, this.#mostForOne);
  }

  get #mostForOne(): number {
    return this.#windows ? mostForOne(this.#limit) : Infinity;
  }

  /** Adds (1) or takes away (-1) what a destination holds from the sums over the unreachable ones. */
  #countUnreachable({ unreachable, running, held }: Destination<Lane<J>>, sign: 1 | -1): void {
    if (!unreachable) return;
    this.#unreachableRunning += sign * running;
    this.#unreachableHeld += sign * held;
  }

  #mayStart({ paused, running, window, unreachable }: Destination<Lane<J>>): boolean {
    return !paused && running < Math.min(window, this.#mostForOne) &&
      (!unreachable || this.#unreachableRunning < mostForUnreachable(this.#limit));
  }

  #hasRoomForParked({ paused, parked, held, window }: Destination<Lane<J>>): boolean {
    return !paused && parked.size > 0 && held < Math.min(window, this.#mostForOne);
  }

  #start(lane: Lane<J>): J {
    const { pass, destination, jobs } = lane;
    const job = jobs.pop()!;
    this.#started.set(job, { pass, destination, halvings: destination.halvings });
    pass.running++;
    // The room that was kept is the one that is taken.
    destination.waiting--;
    destination.running++;
    if (destination.unreachable) this.#unreachableRunning++;
    lane.placeInPass.leave();
    if (jobs.length > 0) destination.parked.addLast(lane.placeAtDestination);
    else lane.placeAtDestination.leave();
    if (pass.released.size > 0 && this.#hasSlotFor(pass)) this.#passes.addLast(pass.turn);
    else pass.turn.leave();
    this.#fill(destination);
    return job;
  }

  /** Releases what there is room for. */
  #fill(destination: Destination<Lane<J>>): void {
    if (!destination.unreachable) {
      while (this.#hasRoomForParked(destination)) this.#release(destination);
      return;
    }
    if (destination.hope.list === undefined && this.#hasRoomForParked(destination)) {
      this.#hopeful.addLast(destination.hope);
    }
    this.#fillHopeful();
  }

  #fillHopeful(): void {
    while (this.#unreachableHeld < mostForUnreachable(this.#limit)) {
      const destination = this.#hopeful.first;
      if (destination === undefined) return;
      destination.hope.leave();
      // It may have been paused, or its window halved.
      if (!this.#hasRoomForParked(destination)) continue;
      this.#release(destination);
      if (this.#hasRoomForParked(destination)) this.#hopeful.addLast(destination.hope);
    }
  }

  #release(destination: Destination<Lane<J>>): void {
    const lane = destination.parked.first!;
    const { pass } = lane;
    destination.released.addLast(lane.placeAtDestination);
    if (destination.unreachable) this.#unreachableHeld++;
    pass.released.addLast(lane.placeInPass);
    this.#takeTurns(pass);
  }

  /** Takes the room back from the lane that got it last. */
  #park(destination: Destination<Lane<J>>): void {
    const lane = destination.released.last!;
    const { pass } = lane;
    destination.parked.addFirst(lane.placeAtDestination);
    if (destination.unreachable) this.#unreachableHeld--;
    lane.placeInPass.leave();
    if (pass.released.size > 0) return;
    pass.turn.leave();
    pass.turnIsDue = true;
  }
}
