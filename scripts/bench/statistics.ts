/**
 * The arithmetic behind the printed figures: percentiles of one run, median and range over several runs.
 * @module
 */

/** Percentiles of the latencies of one run, in milliseconds; all zero when nothing was accepted. */
export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** One figure over all runs. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * The nearest-rank percentile: the smallest value that at least `percent` % of all values do not exceed.
 *
 * @param sorted ascending values; an empty list answers 0
 * @param percent 0 to 100
 */
export function percentile(sorted: ArrayLike<number>, percent: number): number {
  const rank = Math.ceil((percent / 100) * sorted.length);
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1] ?? 0;
}

/** The percentiles that the report prints, from latencies in any order. */
export function latencyOf(values: readonly number[]): Latency {
  const sorted = Float64Array.from(values).sort();
  return {
    p50: round(percentile(sorted, 50), 2),
    p95: round(percentile(sorted, 95), 2),
    p99: round(percentile(sorted, 99), 2),
    max: round(percentile(sorted, 100), 2),
  };
}

/** Median, smallest and largest; the median of an even count is the mean of the middle two. Undefined without values. */
export function summarize(values: readonly number[]): Summary | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  const high = sorted[Math.floor(sorted.length / 2)];
  const min = sorted[0];
  const max = sorted.at(-1);
  if (low === undefined || high === undefined || min === undefined || max === undefined) return undefined;
  return { median: round((low + high) / 2, 3), min: round(min, 3), max: round(max, 3) };
}

/** `value` with at most `digits` digits behind the point. */
export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
