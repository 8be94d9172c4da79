/**
 * How many deliveries one account may have under way: a program of his that hangs holds up his own mail, and little of
 * the channel. Who is over waits for as long as those before him come to an end; where none does, he is told so.
 * @module
 */

/** Where all of an account's deliveries have been under way for so long and none has ended, waiting will not help. */
export const stalledMs = 3000;

/** Told when the turn began, which {@link Lanes.leave} wants to know. */
export type OnTurn = (begunMs: number) => void;

interface Lane {
  /** When each of the running ones began. */
  readonly begun: number[];
  readonly waiting: OnTurn[];
  /** When one began or ended last. */
  movedMs: number;
}

/** `go`: counted as under way. `wait`: `onTurn` will be called, and it is counted then. `busy`: not now. */
export type Entry = "go" | "wait" | "busy";

export class Lanes {
  readonly #lanes = new Map<string, Lane>();

  /** `most` deliveries of `account` run at once. */
  enter(account: string, most: number, nowMs: number, onTurn: OnTurn): Entry {
    const lane = this.#lanes.get(account) ?? { begun: [], waiting: [], movedMs: nowMs };
    this.#lanes.set(account, lane);
    if (lane.begun.length < most) {
      lane.begun.push(nowMs);
      lane.movedMs = nowMs;
      return "go";
    }
    if (isStalled(lane, nowMs)) return "busy";
    lane.waiting.push(onTurn);
    return "wait";
  }

  /** A delivery that began at `begunMs` has ended. */
  leave(account: string, begunMs: number, nowMs: number): void {
    const lane = this.#lanes.get(account);
    if (lane === undefined) return;
    const at = lane.begun.indexOf(begunMs);
    if (at >= 0) lane.begun.splice(at, 1);
    lane.movedMs = nowMs;
    const next = lane.waiting.shift();
    if (next !== undefined) {
      lane.begun.push(nowMs);
      next(nowMs);
    } else if (lane.begun.length === 0) this.#lanes.delete(account);
  }

  /** Waits no longer where that will not help; false where it still may, or its turn has come. */
  giveUp(account: string, nowMs: number, onTurn: OnTurn): boolean {
    const lane = this.#lanes.get(account);
    const at = lane?.waiting.indexOf(onTurn) ?? -1;
    if (lane === undefined || at < 0 || !isStalled(lane, nowMs)) return false;
    lane.waiting.splice(at, 1);
    return true;
  }
}

function isStalled(lane: Lane, nowMs: number): boolean {
  return nowMs - lane.movedMs >= stalledMs;
}
