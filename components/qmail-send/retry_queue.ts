/**
 * Messages that wait for their next attempt, earliest first: a binary heap on the time, in two typed arrays. A million
 * entries are 12 MB, no objects of their own and nothing for the garbage collector: a slot takes 12 octets, and at least
 * half of the slots are in use whenever the arrays have just grown, so an entry never costs more than 24 there.
 *
 * Among entries of one time the order is any. What is added again with a later time than it had waits behind all that
 * were due before, so none is passed over for ever.
 * @module
 */
import { heldSeconds } from "../lib/queue/held.ts";
import type { Channel } from "../lib/queue/layout.ts";

export interface Retry {
  /** Seconds since 1970. */
  readonly atSeconds: number;
  readonly id: number;
  readonly channel: Channel;
}

const leastSlots = 1024;
/** 2106-02-07, beyond {@link heldSeconds}: what a slot can hold. A file's time may be anything. */
const latestSeconds = 2 ** 32 - 1;

export class RetryQueue {
  #times = new Uint32Array(leastSlots);
  /** Id and channel in one number: {@link keyOf}. */
  #keys = new Float64Array(leastSlots);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Entries there is room for without growing. */
  get slots(): number {
    return this.#times.length;
  }

  /** The earliest time, or undefined when nothing waits. */
  get earliest(): number | undefined {
    return this.#size === 0 ? undefined : this.#times[0];
  }

  /** Times are kept in whole seconds, never too early; one before 1970 or after 2106-02-07 as the nearest in between. */
  add({ atSeconds, id, channel }: Retry): void {
    if (this.#size === this.slots) this.#resize(2 * this.slots);
    this.#rise(this.#size++, Math.min(Math.max(Math.ceil(atSeconds), 0), latestSeconds), keyOf(id, channel));
  }

  /** Takes the earliest one when its time has come. */
  takeDue(nowSeconds: number): Retry | undefined {
    const atSeconds = this.#times[0]!;
    if (this.#size === 0 || atSeconds > nowSeconds) return undefined;
    const key = this.#keys[0]!;
    const last = --this.#size;
    this.#sink(this.#times[last]!, this.#keys[last]!);
    // A quarter, not half: adding and taking around one size must not copy each time.
    if (this.#size < this.slots / 4 && this.slots > leastSlots) this.#resize(this.slots / 2);
    return retryOf(atSeconds, key);
  }

  /** Makes everything due at `nowSeconds` (SIGALRM) but what is held. */
  allDue(nowSeconds: number): void {
    const times = this.#times;
    const now = Math.max(Math.floor(nowSeconds), 0);
    // Of two times the later one is still not the earlier one after this, so the heap stays one.
    for (let at = 0; at < this.#size; at++) {
      if (times[at]! > now && times[at]! < heldSeconds) times[at] = now;
    }
  }

  #rise(from: number, time: number, key: number): void {
    const times = this.#times;
    const keys = this.#keys;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (times[parent]! <= time) break;
      times[at] = times[parent]!;
      keys[at] = keys[parent]!;
      at = parent;
    }
    times[at] = time;
    keys[at] = key;
  }

  /** Puts an entry in the place of the first one. */
  #sink(time: number, key: number): void {
    const times = this.#times;
    const keys = this.#keys;
    const size = this.#size;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && times[child + 1]! < times[child]!) child++;
      if (times[child]! >= time) break;
      times[at] = times[child]!;
      keys[at] = keys[child]!;
      at = child;
    }
    times[at] = time;
    keys[at] = key;
  }

  #resize(slots: number): void {
    const times = new Uint32Array(slots);
    const keys = new Float64Array(slots);
    times.set(this.#times.subarray(0, this.#size));
    keys.set(this.#keys.subarray(0, this.#size));
    this.#times = times;
    this.#keys = keys;
  }
}

/** An id is a safe integer from 0: the sign is free to say the channel. */
function keyOf(id: number, channel: Channel): number {
  return channel === "local" ? id : -1 - id;
}

function retryOf(atSeconds: number, key: number): Retry {
  return key >= 0 ? { atSeconds, id: key, channel: "local" } : { atSeconds, id: -1 - key, channel: "remote" };
}
