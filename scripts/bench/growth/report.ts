/**
 * What `bench growth` prints: a table of each dimension, everything as one JSON object, or a page of plots.
 * @module
 */
import { formatTable } from "../../table.ts";
import type { Page, Table } from "../html/page.ts";
import { drawPlot, type Series } from "../html/plot.ts";
import { describeDay, describeMachine, type Machine } from "../machine.ts";
import { cell } from "../report.ts";
import type { Dimension } from "./dimensions.ts";
import type { StepFigures } from "./measure.ts";
import type { GrowthOptions } from "./options.ts";

/** One curve. */
export interface Grown extends Omit<Dimension, "steps"> {
  readonly steps: readonly StepFigures[];
  /** The largest cost divided by that of any smaller step: 1 and less is flat. Undefined with fewer than two. */
  readonly rise: number | undefined;
}

export interface GrowthReport {
  readonly date: string;
  readonly machine: Machine;
  readonly options: GrowthOptions;
  readonly dimensions: readonly Grown[];
  readonly failedRuns: number;
}

/** Puts the report together. */
export function makeGrowthReport(
  options: GrowthOptions,
  measured: readonly { readonly dimension: Dimension; readonly steps: readonly StepFigures[] }[],
  date: Date,
): GrowthReport {
  const grown = measured.map(({ dimension: { steps: _, ...dimension }, steps }) => ({
    ...dimension,
    steps,
    rise: riseOf(steps.map(({ cpuMs }) => cpuMs)),
  }));
  const failedRuns = grown.flatMap(({ steps }) => steps).reduce((sum, step) => sum + step.failedRuns, 0);
  return { date: date.toISOString(), machine: describeMachine(), options, dimensions: grown, failedRuns };
}

/** The largest quotient of a value and one before it. */
export function riseOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.flatMap((value) => value !== undefined && value > 0 ? [value] : []);
  const rises = known.slice(1).map((value, at) => value / Math.min(...known.slice(0, at + 1)));
  return rises.length === 0 ? undefined : Math.max(...rises);
}

/** The tables. */
export function formatGrowth(report: GrowthReport): string {
  const parts = report.dimensions.map((one) => [one.title, formatTable(tableOf(one)), ...riseLine(one)].join("\n"));
  const failed = report.failedRuns === 0 ? [] : [`${report.failedRuns} runs failed and do not count`];
  return [describeDay(report), ...parts, ...failed].join("\n\n");
}

function riseLine({ rise, per }: Grown): readonly string[] {
  if (rise === undefined) return [];
  return [`the cost of a ${per} rises to at most ${rise.toFixed(2)} times that of a smaller step`];
}

function tableOf({ label, per, peaks, steps }: Grown): Table {
  const peakHead = peaks ? ["qmail-smtpd peak MiB", "qmail-queue peak MiB"] : [];
  return [
    [label, `CPU ms/${per}`, rateName(per), "p50 ms", "p99 ms", ...peakHead],
    ...steps.map(({ x, cpuMs, perSecond, p50Ms, p99Ms, peakMib }) => [
      String(x),
      ...[cpuMs, perSecond, p50Ms, p99Ms].map(cellOf),
      ...(peaks ? [cellOf(peakMib?.smtpd), cellOf(peakMib?.queue)] : []),
    ]),
  ];
}

function rateName(per: Grown["per"]): string {
  return per === "MiB" ? "MiB/s" : `${per}s/s`;
}

function cellOf(value: number | undefined): string {
  return value === undefined ? "–" : cell(value);
}

/** The curves. */
export function pageOfGrowth(report: GrowthReport): Page {
  return {
    title: "bench growth",
    lead: [describeDay(report), "Flat lines are what is wanted of cost and memory."],
    sections: report.dimensions.map((one) => ({
      title: one.title,
      notes: riseLine(one),
      plots: plotsOf(one),
      table: tableOf(one),
    })),
  };
}

function plotsOf({ label, per, peaks, steps }: Grown): readonly string[] {
  const x = { label, spread: "log" } as const;
  const line = (name: string, colour: number, of: (step: StepFigures) => number | undefined): Series => ({
    name,
    colour,
    points: steps.flatMap((step) => {
      const y = of(step);
      return y === undefined || Number.isNaN(y) ? [] : [[step.x, y] as const];
    }),
  });
  const cost = drawPlot({
    title: "Cost",
    x,
    // What a message costs beside its octets, or beside its recipients, is shared by many in large ones.
    y: { label: `CPU ms per ${per}`, spread: per === "message" ? "linear" : "log" },
    series: [line("server", 0, ({ cpuMs }) => cpuMs)],
  });
  const rate = drawPlot({
    title: "Throughput",
    x,
    y: { label: rateName(per), spread: per === "message" ? "linear" : "log" },
    series: [line("server", 0, ({ perSecond }) => perSecond)],
  });
  if (!peaks) return [cost, rate];
  const memory = drawPlot({
    title: "Memory",
    x,
    y: { label: "largest resident set, MiB", spread: "linear" },
    series: [
      line("qmail-smtpd", 0, ({ peakMib }) => peakMib?.smtpd),
      line("qmail-queue", 1, ({ peakMib }) => peakMib?.queue),
    ],
  });
  return [cost, rate, memory];
}
