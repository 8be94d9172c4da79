/**
 * How much mail of a young sender may leave: control/shaping's `warmup` lines. Which address a message leaves from is
 * not known here; it follows from the sender's domain, so that is what is counted by.
 *
 * A day's amount is spread evenly over the day, an hour's share at once at the most. Nothing is written down: after a
 * restart as much as such a share may leave again, not the day's amount.
 * @module
 */
import { domainOf } from "../lib/address/parse_domain.ts";
import type { WarmUpSchedule } from "../lib/shaping/shaping_file.ts";
import { Bucket } from "./bucket.ts";

const dayMs = 86_400_000;
const shareSeconds = 3600;
/** What waits comes back within a day: the next day's amount may be larger. */
const leastAwayMs = 60_000;

interface Metered {
  readonly amount: number;
  readonly bucket: Bucket;
}

/** The amount of a day; undefined: there is no limit any more. Before its first day a schedule is as on that day. */
export function amountAt({ fromMs, amounts }: WarmUpSchedule, nowMs: number): number | undefined {
  return amounts[Math.max(0, Math.floor((nowMs - fromMs) / dayMs))];
}

export class WarmUps {
  #schedules: ReadonlyMap<string, WarmUpSchedule>;
  /** By the schedule's key. */
  readonly #metered = new Map<string, Metered>();

  constructor(schedules: ReadonlyMap<string, WarmUpSchedule>) {
    this.#schedules = schedules;
  }

  setSchedules(schedules: ReadonlyMap<string, WarmUpSchedule>): void {
    this.#schedules = schedules;
    for (const key of this.#metered.keys()) if (!schedules.has(key)) this.#metered.delete(key);
  }

  /** Whether there are any. */
  get none(): boolean {
    return this.#schedules.size === 0;
  }

  /** One more delivery of `sender` (a reverse-path): it may be made now, and counts; or comes back at the time answered. */
  take(sender: string, nowMs: number): number | "now" {
    const bucket = this.#bucketOf(sender, nowMs);
    if (bucket === undefined) return "now";
    if (bucket.readyAtMs(nowMs) > nowMs) return bucket.reserve(nowMs, leastAwayMs, dayMs);
    bucket.take(nowMs);
    return "now";
  }

  /** A delivery that had been counted is not made after all. */
  putBack(sender: string, nowMs: number): void {
    this.#bucketOf(sender, nowMs)?.putBack();
  }

  #bucketOf(sender: string, nowMs: number): Bucket | undefined {
    if (this.none) return undefined;
    const domain = domainOf(sender);
    const key = this.#schedules.has(domain) ? domain : "default";
    const schedule = this.#schedules.get(key);
    const amount = schedule && amountAt(schedule, nowMs);
    if (amount === undefined) return undefined;
    const known = this.#metered.get(key);
    if (known?.amount === amount) return known.bucket;
    const bucket = new Bucket({ count: amount, perSeconds: dayMs / 1000 }, shareSeconds, nowMs);
    this.#metered.set(key, { amount, bucket });
    return bucket;
  }
}
