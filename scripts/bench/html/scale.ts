/**
 * From values to places on a plot: domains, round ticks, and the labels at them.
 * @module
 */

/** How an axis spreads its values. */
export type Spread = "linear" | "log";

/** One axis: where a value stands between 0 and 1, and what is written along it. */
export interface Scale {
  readonly ticks: readonly number[];
  /** 0 at the first tick, 1 at the last; values outside are held at the ends. */
  place(value: number): number;
}

/** About as many ticks as a linear axis has. */
const wantedTicks = 5;

/** The axis for `values`; a linear one begins at 0, a logarithmic one takes values above 0 only. */
export function scaleFor(values: readonly number[], spread: Spread): Scale {
  return spread === "log" ? logScale(values.filter((value) => value > 0)) : linearScale(values);
}

function linearScale(values: readonly number[]): Scale {
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  const step = roundStep(most > 0 ? most / wantedTicks : 1);
  const count = Math.max(Math.ceil(most / step - 1e-9), 1);
  const ticks = Array.from({ length: count + 1 }, (_, at) => Number((at * step).toPrecision(12)));
  return { ticks, place: (value) => held(value / (count * step)) };
}

/** The smallest of 1, 2, 5 times a power of ten that is no less than `least`. */
export function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5].find((factor) => factor * power >= least * (1 - 1e-9)) ?? 10;
  return Number((factor * power).toPrecision(12));
}

function logScale(values: readonly number[]): Scale {
  const least = values.length === 0 ? 1 : values.reduce((a, b) => Math.min(a, b));
  const most = values.length === 0 ? 10 : values.reduce((a, b) => Math.max(a, b));
  const low = Math.floor(Math.log10(least) + 1e-9);
  const high = Math.max(Math.ceil(Math.log10(most) - 1e-9), low + 1);
  const ticks = Array.from({ length: high - low + 1 }, (_, at) => Number((10 ** (low + at)).toPrecision(12)));
  return { ticks, place: (value) => value <= 0 ? 0 : held((Math.log10(value) - low) / (high - low)) };
}

function held(share: number): number {
  return Math.min(Math.max(share, 0), 1);
}

/** A tick's label: thousands and millions are shortened. */
export function formatTick(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(6)));
}
