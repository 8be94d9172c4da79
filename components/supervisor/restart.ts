/**
 * When a component that ended is started again: at once after it ran for a while, later and later when it keeps dying.
 * @module
 */

/** A run this long is a success; what comes after it begins anew. */
const stableMs = 2000;
const firstDelayMs = 50;
const lastDelayMs = 5000;

/** Delay before the next start. `quickDeaths`: runs shorter than two seconds in a row, this one included. */
export function restartDelayMs(quickDeaths: number): number {
  return quickDeaths === 0 ? 0 : Math.min(firstDelayMs * 2 ** (quickDeaths - 1), lastDelayMs);
}

/** Counts quick deaths in a row. */
export function quickDeathsAfter(before: number, ranMs: number): number {
  return ranMs < stableMs ? before + 1 : 0;
}
