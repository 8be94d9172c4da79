/**
 * Greylisting: a triplet (triplet.ts) seen for the first time has to wait; one that comes back after that, as any queue
 * makes it, is known from then on, and a network with several of those is trusted as a whole.
 *
 * Each triplet is in one of two maps: `waiting`, in the order of first sight, or `known`, in the order of last use. What
 * is in the front of either is what goes when it is too old or there are too many; one cannot push out the other. Time is
 * an argument, in seconds since 1970.
 * @module
 */
import type { GreylistReply } from "../lib/wire/tally_protocol.ts";
import { AgedMap } from "./aged_map.ts";
import type { GreylistRecord } from "./greylist_record.ts";
import type { Hash, Triplet } from "./triplet.ts";

const daySeconds = 86_400;

/**
 * A queue tries again within minutes or hours; two days leave room for one that was away over a night or stood still for
 * a day. Later it is another message.
 */
export const returnSeconds = 2 * daySeconds;
/** Longer than a month, so that what comes once a month (a bill, a newsletter) is not a stranger each time. */
export const knownSeconds = 36 * daySeconds;
/** A use is written down once a day: for 36 days that is exact enough, and a busy sender costs no write a message. */
export const renewSeconds = daySeconds;
/** Different triplets that came back: no accident any more, somebody there has a queue. */
export const trustedFrom = 5;

export interface GreylistLimits {
  /** Triplets that wait. */
  readonly waiting: number;
  /** Triplets that wait from one network: a single client cannot push out everybody else's. */
  readonly waitingOfNetwork: number;
  /** Triplets that came back. */
  readonly known: number;
  /** Networks that triplets came back from. */
  readonly networks: number;
}

/** From 100 to 200 octets of memory each: 85 MB when all are taken. */
export const defaultLimits: GreylistLimits = {
  waiting: 200_000,
  waitingOfNetwork: 1000,
  known: 300_000,
  networks: 100_000,
};

interface Waiting {
  readonly sinceSeconds: number;
  readonly network: Hash;
}

interface Network {
  readonly usedSeconds: number;
  /** Triplets that came back, counted up to {@link trustedFrom}. */
  readonly passed: number;
}

/** What was decided, and what there is to write down. */
export interface Asked {
  readonly reply: GreylistReply;
  readonly changes: readonly GreylistRecord[];
}

const pass: GreylistReply = { kind: "pass" };

export class Greylist {
  readonly #limits: GreylistLimits;
  readonly #waiting = new AgedMap<Waiting>();
  /** Triplets that wait, by network. */
  readonly #waitingOf = new Map<Hash, number>();
  /** When each was last used. */
  readonly #known = new AgedMap<number>();
  readonly #networks = new AgedMap<Network>();

  constructor(limits: GreylistLimits = defaultLimits) {
    this.#limits = limits;
  }

  /** Records that say all that is known. */
  get size(): number {
    return this.#waiting.size + this.#known.size + this.#networks.size;
  }

  get counts(): { readonly waiting: number; readonly known: number; readonly networks: number } {
    return { waiting: this.#waiting.size, known: this.#known.size, networks: this.#networks.size };
  }

  /** Decides about a delivery that is tried now. */
  ask(triplet: Triplet, waitSeconds: number, nowSeconds: number): Asked {
    this.expire(nowSeconds);
    const { key, network } = triplet;
    const theirs = this.#networks.get(network);
    if (theirs !== undefined && theirs.passed >= trustedFrom) {
      return this.#change(isStale(theirs.usedSeconds, nowSeconds) ? [networkRecord(network, theirs, nowSeconds)] : []);
    }
    const usedSeconds = this.#known.get(key);
    if (usedSeconds !== undefined) return this.#change(this.#renewal(triplet, usedSeconds, nowSeconds));
    const sinceSeconds = this.#waiting.get(key)?.sinceSeconds;
    // A first sight that lies ahead is one from before the clock was put back: it begins anew.
    const isNew = sinceSeconds === undefined || sinceSeconds > nowSeconds;
    const leftSeconds = isNew ? waitSeconds : sinceSeconds + waitSeconds - nowSeconds;
    if (leftSeconds <= 0) {
      const { passed } = theirs ?? { passed: 0 };
      return this.#change([
        { kind: "known", key, seconds: nowSeconds },
        { kind: "network", key: network, seconds: nowSeconds, passed: Math.min(passed + 1, trustedFrom) },
      ]);
    }
    const { changes } = this.#change(isNew ? this.#firstSight(triplet, nowSeconds) : []);
    return { reply: { kind: "wait", seconds: leftSeconds }, changes };
  }

  /** Takes a record of an earlier life; each says what holds from then on, so the last one counts. */
  apply(record: GreylistRecord): void {
    const { kind, key } = record;
    switch (kind) {
      case "waiting":
        this.#dropWaiting(key);
        this.#known.delete(key);
        this.#waiting.set(key, { sinceSeconds: record.seconds, network: record.network });
        this.#waitingOf.set(record.network, (this.#waitingOf.get(record.network) ?? 0) + 1);
        break;
      case "known":
        this.#dropWaiting(key);
        this.#known.set(key, record.seconds);
        break;
      case "network":
        this.#networks.set(key, { usedSeconds: record.seconds, passed: record.passed });
        break;
    }
    this.#makeRoom();
  }

  /** Forgets what is too old. */
  expire(nowSeconds: number): void {
    this.#waiting.dropWhile(
      ({ sinceSeconds }) => nowSeconds - sinceSeconds > returnSeconds,
      ({ network }) => this.#oneLessOf(network),
    );
    this.#known.dropWhile((usedSeconds) => nowSeconds - usedSeconds > knownSeconds);
    this.#networks.dropWhile(({ usedSeconds }) => nowSeconds - usedSeconds > knownSeconds);
  }

  /**
   * All that is known, networks first. May be gone through while things change: what changes meanwhile has to be written
   * behind what was written so far, then nothing is missed.
   */
  *records(): Generator<GreylistRecord, void, undefined> {
    for (const [key, network] of this.#networks.entries()) yield networkRecord(key, network, network.usedSeconds);
    for (const [key, seconds] of this.#known.entries()) yield { kind: "known", key, seconds };
    for (const [key, { sinceSeconds, network }] of this.#waiting.entries()) {
      yield { kind: "waiting", key, seconds: sinceSeconds, network };
    }
  }

  #change(changes: readonly GreylistRecord[]): Asked {
    for (const change of changes) this.apply(change);
    return { reply: pass, changes };
  }

  #renewal({ key, network }: Triplet, usedSeconds: number, nowSeconds: number): readonly GreylistRecord[] {
    if (!isStale(usedSeconds, nowSeconds)) return [];
    const theirs = this.#networks.get(network);
    const known: GreylistRecord = { kind: "known", key, seconds: nowSeconds };
    return theirs === undefined ? [known] : [known, networkRecord(network, theirs, nowSeconds)];
  }

  /** Nothing where its network has too many that wait: it waits until some of those are known, or too old. */
  #firstSight({ key, network }: Triplet, nowSeconds: number): readonly GreylistRecord[] {
    const isFull = (this.#waitingOf.get(network) ?? 0) >= this.#limits.waitingOfNetwork && !this.#waiting.has(key);
    return isFull ? [] : [{ kind: "waiting", key, seconds: nowSeconds, network }];
  }

  #dropWaiting(key: Hash): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return;
    this.#waiting.delete(key);
    this.#oneLessOf(waiting.network);
  }

  #oneLessOf(network: Hash): void {
    const left = this.#waitingOf.get(network)! - 1;
    if (left > 0) this.#waitingOf.set(network, left);
    else this.#waitingOf.delete(network);
  }

  #makeRoom(): void {
    const { waiting, known, networks } = this.#limits;
    this.#waiting.dropWhile(() => this.#waiting.size > waiting, ({ network }) => this.#oneLessOf(network));
    this.#known.dropWhile(() => this.#known.size > known);
    this.#networks.dropWhile(() => this.#networks.size > networks);
  }
}

function isStale(usedSeconds: number, nowSeconds: number): boolean {
  return nowSeconds - usedSeconds >= renewSeconds;
}

function networkRecord(key: Hash, { passed }: Network, seconds: number): GreylistRecord {
  return { kind: "network", key, seconds, passed };
}
