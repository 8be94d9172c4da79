/**
 * What `bench fairness` prints: a table, or everything as one JSON object.
 * @module
 */
import { formatTable } from "../../table.ts";
import { describeMachine, type Machine } from "../machine.ts";
import { round } from "../statistics.ts";
import type { FreshFigures, SituationFigures } from "./measure.ts";
import type { FairnessOptions } from "./options.ts";

/** What a fresh message may take, in times of what it takes when nothing is in its way. */
export const goalTimes = 3;

export interface FairnessReport {
  readonly date: string;
  readonly machine: Machine;
  readonly options: FairnessOptions;
  readonly goalTimes: number;
  readonly rows: readonly FairnessRow[];
  readonly situations: readonly SituationFigures[];
}

/** Fresh mail of one kind in one situation, beside the same on the idle system. */
export interface FairnessRow {
  readonly situation: string;
  readonly kind: "local" | "remote";
  readonly figures: FreshFigures;
  readonly timesIdle: { readonly p50: number; readonly p95: number; readonly p99: number };
  /** Whether p50 and p95 are within the goal. */
  readonly within: boolean;
}

/** Puts the report together; the first situation is what the others are compared with. */
export function makeFairnessReport(
  options: FairnessOptions,
  situations: readonly SituationFigures[],
  date: Date,
): FairnessReport {
  const rows = situations.flatMap((each) =>
    (["local", "remote"] as const).map((kind): FairnessRow => {
      const [figures, idle] = [each[kind], situations[0]?.[kind] ?? each[kind]];
      const times = (name: "p50" | "p95" | "p99") => round(figures.latency[name] / idle.latency[name], 1);
      const timesIdle = { p50: times("p50"), p95: times("p95"), p99: times("p99") };
      const within = timesIdle.p50 <= goalTimes && timesIdle.p95 <= goalTimes;
      return { situation: each.situation, kind, figures, timesIdle, within };
    })
  );
  return { date: date.toISOString(), machine: describeMachine(), options, goalTimes, rows, situations };
}

export function formatFairness(report: FairnessReport): string {
  const { options, machine, situations } = report;
  const cells = report.rows.map(({ situation, kind, figures, timesIdle, within }) => [
    situation,
    kind,
    String(figures.sent),
    ...(["p50", "p95", "p99", "max"] as const).map((name) => cell(figures.latency[name])),
    ...[timesIdle.p50, timesIdle.p95].map(cell),
    within ? "yes" : "no",
    cell(figures.accept.p95),
    String(figures.missing),
  ]);
  const behind = situations.map(({ loads, ...each }) => [
    each.situation,
    cell(each.seconds),
    cell(each.deliveriesPerSecond),
    String(each.messagesLeft),
    cell(each.slowestAnswerMs),
    loads.length === 0 ? "-" : `${loads.length} x ${cell(Math.max(...loads.map((load) => load.seconds)))}`,
    each.noisyStart ? "began on a busy machine" : "",
  ]);
  return [
    `fairness, dqmail: a fresh message every ${options.everyMs} ms for ${options.seconds} s; ${options.recipients} ` +
    `recipients, ${options.domains} domains, sink ${options.delayMs} ms, ${options.waiting} for a dead host; ` +
    `${machine.cores} cores, Linux ${machine.kernel}`,
    `times from 250 to Maildir or sink, ms; the goal: p50 and p95 within ${report.goalTimes} times of idle`,
    "",
    formatTable([
      ["", "fresh", "sent", "p50", "p95", "p99", "max", "p50 x idle", "p95 x idle", "goal", "accept p95", "missing"],
      ...cells,
    ]),
    "",
    formatTable([
      ["meanwhile", "seconds", "deliveries/s", "messages left", "slowest answer", "intake before, s", ""],
      ...behind,
    ]),
  ].join("\n");
}

function cell(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}
