/**
 * One page out of the index: those that come next behind a cursor. All slots are looked at once, and the best ones so far
 * kept in a heap: a page of 200 out of a million needs no list of a million in order, which would be old before it is made.
 * @module
 */
import { toOctets } from "../lib/octets.ts";
import type { QueueFilter, SortKey, SortOrder } from "../lib/wire/qread_protocol.ts";
import { type Block, blockSlots, flag } from "./columns.ts";
import type { Cursor } from "./cursor.ts";
import { compileFilter, looksAtRecipients } from "./filter.ts";
import type { QueueIndex, Slot } from "./queue_index.ts";
import { compareSenders, compareSenderWith } from "./sender_order.ts";

export interface PageRequest {
  readonly sort: SortKey;
  readonly order: SortOrder;
  readonly filter: QueueFilter;
  readonly after: Cursor | undefined;
  readonly count: number;
  readonly nowSeconds: number;
}

export interface Page {
  readonly slots: readonly Slot[];
  /** Matching ones before the first of them. */
  readonly place: number;
  readonly matching: number;
  /** Those that do not match, but have recipients that are not known here. */
  readonly unsearched: number;
}

/** Messages lie in the order in which they were found, often that of their numbers: looked at so many at a time, pieces of
 * it far from each other, the first ones set a mark that few of the others pass. */
const pieceSlots = 1024;

export function selectPage(index: QueueIndex, request: PageRequest): Page {
  const { sort, order, filter, after, count, nowSeconds } = request;
  const pool = index.pool;
  const sign = order === "ascending" ? 1 : -1;
  const test = compileFilter(filter, pool, nowSeconds);
  const partly = looksAtRecipients(filter);
  /** Negative: `a` comes first. Keys are compared before this. */
  const tie = (a: Block, aAt: number, b: Block, bAt: number) => {
    const bySender = sort === "sender" ? compareSenders(pool, a, aAt, b, bAt) : 0;
    return sign * (bySender !== 0 ? bySender : a.id[aAt]! - b.id[bAt]!);
  };
  const afterSender = toOctets(after?.sender ?? "");
  const tieWithCursor = (block: Block, at: number, { id }: Cursor) => {
    const bySender = sort === "sender" ? compareSenderWith(pool, block, at, afterSender) : 0;
    return sign * (bySender !== 0 ? bySender : block.id[at]! - id);
  };
  const afterKey = after === undefined ? 0 : sign * after.key;
  const heap = new Heap(count, tie);
  let matching = 0;
  let place = 0;
  let unsearched = 0;
  for (const { block, from, to } of pieces(index)) {
    const keys = block[sort];
    for (let at = from; at < to; at++) {
      if (test !== undefined && !test(block, at)) {
        if (partly && (block.flags[at]! & flag.cut) !== 0) unsearched++;
        continue;
      }
      matching++;
      const key = sign * keys[at]!;
      if (after !== undefined && (key < afterKey || (key === afterKey && tieWithCursor(block, at, after) <= 0))) {
        place++;
        continue;
      }
      heap.offer(key, block, at);
    }
  }
  return { slots: heap.sorted(), place, matching, unsearched };
}

interface Piece {
  readonly block: Block;
  readonly from: number;
  readonly to: number;
}

function* pieces(index: QueueIndex): Generator<Piece, void, undefined> {
  const blocks = [...index.blocks()];
  const inBlock = blockSlots / pieceSlots;
  const count = blocks.length * inBlock;
  const step = stepFor(count);
  for (let n = 0, piece = 0; n < count; n++, piece = (piece + step) % count) {
    const { block, used } = blocks[Math.floor(piece / inBlock)]!;
    const from = (piece % inBlock) * pieceSlots;
    if (from < used) yield { block, from, to: Math.min(from + pieceSlots, used) };
  }
}

/** A number without a common divisor with `count`, about two thirds of it: its multiples are spread over all of it. */
function stepFor(count: number): number {
  for (let step = Math.max(1, Math.floor(count * 0.618));; step++) if (gcd(step, count) === 1) return step;
}

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

type Tie = (a: Block, aAt: number, b: Block, bAt: number) => number;

/** The best ones of those offered; the worst of them on top. */
class Heap {
  readonly #most: number;
  readonly #tie: Tie;
  readonly #keys: Float64Array;
  readonly #blocks: Block[] = [];
  readonly #ats: Uint32Array;
  #size = 0;

  constructor(most: number, tie: Tie) {
    this.#most = most;
    this.#tie = tie;
    this.#keys = new Float64Array(most);
    this.#ats = new Uint32Array(most);
  }

  offer(key: number, block: Block, at: number): void {
    if (this.#size === this.#most) {
      const top = this.#keys[0]!;
      if (key > top || (key === top && this.#tie(block, at, this.#blocks[0]!, this.#ats[0]!) >= 0)) return;
      this.#sink(0, key, block, at);
      return;
    }
    let hole = this.#size++;
    this.#blocks.push(block);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!this.#isBefore(parent, key, block, at)) break;
      this.#move(parent, hole);
      hole = parent;
    }
    this.#put(hole, key, block, at);
  }

  /** Best ones first. */
  sorted(): Slot[] {
    const places = Array.from({ length: this.#size }, (_, at) => at);
    places.sort((a, b) =>
      this.#keys[a]! - this.#keys[b]! ||
      this.#tie(this.#blocks[a]!, this.#ats[a]!, this.#blocks[b]!, this.#ats[b]!)
    );
    return places.map((at) => ({ block: this.#blocks[at]!, at: this.#ats[at]! }));
  }

  /** Whether what stands in `place` comes before that. */
  #isBefore(place: number, key: number, block: Block, at: number): boolean {
    const there = this.#keys[place]!;
    return there < key ||
      (there === key && this.#tie(this.#blocks[place]!, this.#ats[place]!, block, at) < 0);
  }

  #sink(from: number, key: number, block: Block, at: number): void {
    let hole = from;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= this.#size) break;
      const next = child + 1;
      if (next < this.#size && this.#isBefore(child, this.#keys[next]!, this.#blocks[next]!, this.#ats[next]!)) {
        child = next;
      }
      if (this.#isBefore(child, key, block, at)) break;
      this.#move(child, hole);
      hole = child;
    }
    this.#put(hole, key, block, at);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#keys[from]!, this.#blocks[from]!, this.#ats[from]!);
  }

  #put(place: number, key: number, block: Block, at: number): void {
    this.#keys[place] = key;
    this.#blocks[place] = block;
    this.#ats[place] = at;
  }
}
