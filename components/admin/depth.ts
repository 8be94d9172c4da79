/**
 * How many messages were in the queue, over the last hour.
 * @module
 */

export interface DepthSample {
  readonly atMs: number;
  readonly messages: number;
}

const mostSamples = 60;

/** The samples with another one behind them; the oldest goes where there are enough. */
export function withSample(samples: readonly DepthSample[], sample: DepthSample): readonly DepthSample[] {
  return [...samples, sample].slice(-mostSamples);
}
