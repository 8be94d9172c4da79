/**
 * How much of a channel's slots one may have: a message, a destination, all that cannot be reached. What is left is for
 * whoever comes next, who finds it at once then.
 * @module
 */

/** A part of a channel's slots, one at least. */
function partOf(limit: number, part: number): number {
  return Math.max(1, Math.floor(limit * part));
}

/** The most deliveries one message may have under way: others find a slot, even where its deliveries take long. */
export function mostForMessage(limit: number): number {
  return partOf(limit, 3 / 4);
}

/**
 * The same on the local channel while others have mail, for all wait for one disk there. Measured with 40 slots: beside 10
 * deliveries of a message a fresh one takes half as long as beside 30, and those 10 bring three quarters of what 30 do.
 */
export function mostForNeighbour(limit: number): number {
  return partOf(limit, 1 / 4);
}

/** The most deliveries one destination may have under way: more than one message may, and never every slot. */
export function mostForDestination(limit: number): number {
  return partOf(limit, 7 / 8);
}

/** The most slots that unreachable destinations may hold together: each of them may hold one until a timeout. */
export function mostForUnreachable(limit: number): number {
  return partOf(limit, 1 / 2);
}

/** What one message may have under way to a destination with room for `room`: a place is for others, of many an eighth. */
export function mostOfRoom(room: number): number {
  return room < 4 ? room : Math.min(room - 1, Math.ceil(room * 7 / 8));
}

/** Others have mail for so long after a message came while there was another. */
const neighboursMs = 60_000;

/** What one message may have of a channel whose deliveries all wait for one disk: less while there are neighbours. */
export class Neighbours {
  #untilMs = -Infinity;

  /** A message came; `alone`: no other had deliveries to make. */
  note(alone: boolean, nowMs: number): void {
    if (!alone) this.#untilMs = nowMs + neighboursMs;
  }

  mostForMessage(limit: number, nowMs: number): number {
    // A clock that was set back ends it.
    const among = nowMs < this.#untilMs && nowMs >= this.#untilMs - neighboursMs;
    return among ? mostForNeighbour(limit) : mostForMessage(limit);
  }
}
