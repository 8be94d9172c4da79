/**
 * One message's deliveries on a channel (a pass), and those of them that go to one destination (a lane).
 * @module
 */
import type { Destination } from "./destinations.ts";
import { Entry, LinkedList } from "./linked_list.ts";

/** One message's deliveries of this channel: what `Turns.add` answers, for `Turns.remove`. */
export class Pass<J> {
  readonly lanes = new Map<Destination<Lane<J>>, Lane<J>>();
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
export class Lane<J> {
  readonly pass: Pass<J>;
  destination: Destination<Lane<J>>;
  /** Next one last. */
  readonly jobs: J[];
  /** Its deliveries under way. */
  running = 0;
  /** The site's lane of its pass that has taken over what it had. */
  joined: Lane<J> | undefined;
  readonly placeInPass = new Entry<Lane<J>>(this);
  readonly placeAtDestination = new Entry<Lane<J>>(this);

  constructor(pass: Pass<J>, destination: Destination<Lane<J>>, jobs: J[]) {
    this.pass = pass;
    this.destination = destination;
    this.jobs = jobs;
  }
}

/** One that waits for its time elsewhere than in memory. */
export interface TakenBack<J> {
  readonly job: J;
  /** When it is to be added again: ms since 1970. */
  readonly atMs: number;
  /** What it waits for, for people: `SITE: LAST ERROR`. */
  readonly reason: string;
}

/**
 * Moves all that a domain has to its site; none of its lanes is released. They stand behind those that wait there, in the
 * order they had; where a message has a lane there already, that takes the deliveries.
 */
export function moveLanes<J>(own: Destination<Lane<J>>, site: Destination<Lane<J>>): void {
  for (let lane = own.parked.first; lane !== undefined; lane = own.parked.first) {
    const { pass } = lane;
    lane.placeAtDestination.leave();
    pass.lanes.delete(own);
    const there = pass.lanes.get(site);
    if (there !== undefined && there.jobs.length > 0) {
      for (const job of lane.jobs) there.jobs.push(job);
      lane.jobs.length = 0;
      there.running += lane.running;
      lane.joined = there;
    } else {
      lane.destination = site;
      pass.lanes.set(site, lane);
      site.parked.addLast(lane.placeAtDestination);
    }
  }
  site.waiting += own.waiting;
  site.running += own.running;
  own.waiting = own.running = 0;
  own.movedTo = site;
}

/** Whether a delivery that is `wanted` waits there. */
export function hasWaiting<J>({ parked, released }: Destination<Lane<J>>, wanted: (job: J) => boolean): boolean {
  for (const lanes of [released, parked]) {
    for (let entry = lanes.first?.placeAtDestination; entry !== undefined; entry = entry.after) {
      if (entry.value.jobs.some(wanted)) return true;
    }
  }
  return false;
}

/** Takes those deliveries from a destination's parked lanes that are `wanted`; it has no others. */
export function takeAll<J>(destination: Destination<Lane<J>>, wanted: (job: J) => boolean): J[] {
  const taken: J[] = [];
  let entry = destination.parked.last?.placeAtDestination;
  while (entry !== undefined) {
    const { value: { jobs }, before } = entry;
    if (jobs.some(wanted)) {
      for (const job of jobs.splice(0)) (wanted(job) ? taken : jobs).push(job);
      if (jobs.length === 0) entry.leave();
    }
    entry = before;
  }
  destination.waiting -= taken.length;
  return taken;
}

/**
 * Takes deliveries from a destination's parked lanes until `most` are left, or nothing but what has room: first what large
 * messages have beyond their share, then those who came last.
 */
export function takeSurplus<J>(destination: Destination<Lane<J>>, most: number): J[] {
  const taken: J[] = [];
  const share = Math.max(1, Math.floor(most / Math.max(1, destination.parked.size)));
  for (const keep of [share, 0]) {
    let entry = destination.parked.last?.placeAtDestination;
    while (entry !== undefined && destination.waiting > most) {
      const { value: lane, before } = entry;
      const count = Math.min(lane.jobs.length - keep, destination.waiting - most);
      if (count > 0) {
        // The last in turn stand first.
        for (const job of lane.jobs.splice(0, count)) taken.push(job);
        destination.waiting -= count;
        if (lane.jobs.length === 0) entry.leave();
      }
      entry = before;
    }
  }
  return taken;
}
