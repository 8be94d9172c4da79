/**
 * How a run went while it lasted: what was accepted and how long that took, in equal steps of its time, and how the count
 * of what was delivered rose. Plain arithmetic over what the generator, the sink and the Maildirs have noted.
 * @module
 */
import { percentile, round } from "./statistics.ts";

/** A load cut into steps; one entry of each list a step. */
export interface Timeline {
  readonly stepMs: number;
  readonly accepted: readonly number[];
  /** Percentiles of the latencies of those, milliseconds; 0 in a step without any. */
  readonly p50: readonly number[];
  readonly p99: readonly number[];
}

/** One accepted message: when its 250 came, milliseconds since the load began, and how long it took. */
export interface Ended {
  readonly atMs: number;
  readonly latencyMs: number;
}

/** A time (milliseconds since 1970) and what had been delivered by then. */
export type Mark = readonly [atMs: number, delivered: number];

/** More would be narrower than what a plot can show. */
const mostSteps = 40;
const shortestStepMs = 10;
/** Marks that lie closer together than this are taken as one. */
const leastMarkMs = 25;

/** The steps of a load. */
export function timelineOf(ended: readonly Ended[]): Timeline {
  const lastMs = ended.reduce((most, { atMs }) => Math.max(most, atMs), 0);
  const stepMs = stepFor(lastMs);
  const steps: number[][] = Array.from({ length: Math.ceil((lastMs + 0.001) / stepMs) }, () => []);
  if (ended.length === 0) return { stepMs, accepted: [], p50: [], p99: [] };
  for (const { atMs, latencyMs } of ended) steps[Math.floor(atMs / stepMs)]?.push(latencyMs);
  for (const step of steps) step.sort((a, b) => a - b);
  return {
    stepMs,
    accepted: steps.map((step) => step.length),
    p50: steps.map((step) => round(percentile(step, 50), 2)),
    p99: steps.map((step) => round(percentile(step, 99), 2)),
  };
}

/** A step of 1, 2 or 5 times a power of ten that cuts `lastMs` into no more than can be shown. */
function stepFor(lastMs: number): number {
  for (let power = shortestStepMs;; power *= 10) {
    const step = [1, 2, 5].map((factor) => factor * power).find((ms) => lastMs / ms <= mostSteps);
    if (step !== undefined) return step;
  }
}

/** Adds a mark, or moves the last one where it has only just been made. The first says when the count began. */
export function addMark(marks: Mark[], atMs: number, delivered: number): void {
  const before = marks.at(-2);
  if (before !== undefined && atMs - before[0] < leastMarkMs) marks.pop();
  marks.push([atMs, delivered]);
}
