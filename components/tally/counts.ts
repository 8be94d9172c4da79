/**
 * Counts how much of something happened lately, in memory alone: after a restart all begins at nothing.
 *
 * Time is cut into pieces of the length asked for. Of each key the amount in the present piece is kept and that in the
 * one before; of the latter so much is taken to be in the window that ends now as the window reaches into it. Two numbers
 * do the work of a list of times, and are wrong only by how unevenly that last piece was filled: never does more than
 * twice the limit fit into any window, and of an even stream no more than the limit. Time is an argument, whole
 * milliseconds of any clock that only goes forward.
 * @module
 */
import type { CountReply } from "../lib/wire/tally_protocol.ts";
import { AgedMap } from "./aged_map.ts";
import { type Hash, hashOf } from "./triplet.ts";

interface Count {
  /** The n-th piece of time since the clock began. */
  readonly piece: number;
  readonly current: number;
  readonly previous: number;
}

export interface Limit {
  readonly key: string;
  readonly limit: number;
  readonly perSeconds: number;
  readonly by: number;
}

/** Some 150 octets each: 30 MB when all are taken. */
const defaultMostKeys = 200_000;

const within: CountReply = { kind: "within" };

export class Counts {
  readonly #mostKeys: number;
  /** In the order of last use: when there are too many, the one that nobody has asked for the longest goes. */
  readonly #counts = new AgedMap<Count>();

  constructor(mostKeys: number = defaultMostKeys) {
    this.#mostKeys = mostKeys;
  }

  get size(): number {
    return this.#counts.size;
  }

  /** Counts `by` more of `key`, unless it would be over its limit then. */
  count({ key, limit, perSeconds, by }: Limit, nowMs: number): CountReply {
    const perMs = perSeconds * 1000;
    const piece = Math.floor(nowMs / perMs);
    // Two rules that count the same over different times do not mix.
    const hash = hashOf(String(perSeconds), key);
    const { current, previous } = at(piece, this.#counts.get(hash));
    const goneMs = nowMs - piece * perMs;
    const room = limit - by;
    // Whole numbers as far as they go: a share would be rounded.
    const isOver = previous * (perMs - goneMs) > (room - current) * perMs;
    this.#keep(hash, { piece, current: isOver ? current : current + by, previous });
    if (!isOver) return within;
    const waitMs = fitsMs(previous, current, room, perMs) - goneMs;
    return { kind: "over", retrySeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
  }

  #keep(hash: Hash, count: Count): void {
    this.#counts.set(hash, count);
    this.#counts.dropWhile(() => this.#counts.size > this.#mostKeys);
  }
}

/** What is known of a key, as it looks from `piece`. */
function at(piece: number, count: Count | undefined): { readonly current: number; readonly previous: number } {
  if (count?.piece === piece) return count;
  return { current: 0, previous: count?.piece === piece - 1 ? count.current : 0 };
}

/** When `room` is enough again, in milliseconds since the present piece of time began. */
function fitsMs(previous: number, current: number, room: number, perMs: number): number {
  // More at once than the limit: never. It is told to come back as if it had to wait for the whole window.
  if (room < 0) return 2 * perMs;
  if (current <= room) return perMs - Math.floor((room - current) * perMs / previous);
  return 2 * perMs - Math.floor(room * perMs / current);
}
