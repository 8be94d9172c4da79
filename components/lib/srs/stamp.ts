/**
 * The day in an SRS0 address: two base-32 digits (RFC 4648 §6) of the days since 1970, modulo 1024, as every other
 * implementation of SRS writes it.
 * @module
 */
const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const cycleDays = 1024;
const daySeconds = 86_400;

/** The longest age that can be told from a day to come. */
export const longestAgeDays = 512;

function dayOf(nowSeconds: number): number {
  return Math.floor(nowSeconds / daySeconds) % cycleDays;
}

/**
 * The stamp of the day that `nowSeconds` (since 1970) lies in.
 *
 * @example
 * ```ts
 * import { formatStamp } from "./stamp.ts";
 * formatStamp(1_577_836_860); // "2W"
 * ```
 */
export function formatStamp(nowSeconds: number): string {
  const day = dayOf(nowSeconds);
  return digits[day >> 5]! + digits[day & 31]!;
}

/** How many days ago a stamp was made, -1 for one of tomorrow; undefined for what is none. Case does not count. */
export function stampAgeDays(stamp: string, nowSeconds: number): number | undefined {
  if (stamp.length !== 2) return undefined;
  const [high, low] = [...stamp.toUpperCase()].map((digit) => digits.indexOf(digit));
  if (high === undefined || low === undefined || high < 0 || low < 0) return undefined;
  const age = (dayOf(nowSeconds) - (high << 5 | low) + cycleDays) % cycleDays;
  // Another host that shares the secret may have passed midnight already.
  return age === cycleDays - 1 ? -1 : age;
}
