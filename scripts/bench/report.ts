/**
 * What the benchmark prints: all figures as one JSON object, the main ones as a table.
 * @module
 */
import { describeMachine, type Machine } from "./machine.ts";
import type { Options } from "./options.ts";
import type { TreeUse } from "./processes.ts";
import { describeLack } from "./evidence.ts";
import type { CountedSyncs, RunResult } from "./scenarios.ts";
import { summarize, type Summary } from "./statistics.ts";
import { totalOf } from "./syncs.ts";

/** Everything about one benchmark. */
export interface Report {
  readonly date: string;
  readonly machine: Machine;
  readonly options: Options;
  /** The server's processes before the first message and after the last run, where they are known. */
  readonly atRest: TreeUse | undefined;
  readonly afterwards: TreeUse | undefined;
  readonly runs: readonly RunResult[];
  /** Runs before which the machine did not become quiet. */
  readonly noisyStarts: number;
  /** Runs of which something was refused, lost or late; the figures leave them out. */
  readonly failedRuns: number;
  /** What strace counted in a run of its own, where that was asked for and possible. */
  readonly syncs: CountedSyncs | undefined;
  readonly figures: Readonly<Record<string, Summary>>;
}

/** The figures in the order of the table; one that a run does not have answers undefined. */
const columns: Readonly<Record<string, (run: RunResult) => number | undefined>> = {
  "messages/s": (run) => run.messagesPerSecond,
  "recipients/s": (run) => run.wanted === run.load.accepted ? undefined : run.recipientsPerSecond,
  "seconds": (run) => run.seconds,
  "seconds until accepted": (run) => run.load.seconds === run.seconds ? undefined : run.load.seconds,
  "latency p50 ms": (run) => run.load.latency.p50,
  "latency p95 ms": (run) => run.load.latency.p95,
  "latency p99 ms": (run) => run.load.latency.p99,
  "latency max ms": (run) => run.load.latency.max,
  "server CPU ms/message": (run) => per(run.serverCpuMs, run.load.accepted),
  "server CPU ms/recipient": (run) => run.wanted === run.load.accepted ? undefined : per(run.serverCpuMs, run.wanted),
  "generator CPU ms/message": (run) => per(run.load.cpuMs, run.load.accepted),
  "sink CPU ms/message": (run) => per(run.sink?.cpuMs, run.load.accepted),
  "sink transactions": (run) => run.sink?.messages,
  "sink connections": (run) => run.sink?.connections,
  "sink most open": (run) => run.sink?.mostOpen,
  "disk flushes/message": (run) => per(run.diskFlushes, run.load.accepted),
  "journal commits/message": (run) => per(run.journalCommits, run.load.accepted),
  "lost": (run) => run.lost,
  "duplicates": (run) => run.duplicates,
};

function per(total: number | undefined, count: number): number | undefined {
  return total === undefined || count === 0 ? undefined : total / count;
}

/** Puts the report together. */
export function makeReport(
  options: Options,
  runs: readonly RunResult[],
  use: Pick<Report, "atRest" | "afterwards" | "noisyStarts" | "syncs">,
  date: Date,
): Report {
  const whole = runs.filter((run) => run.complete);
  const figures = Object.entries(columns).flatMap(([name, valueOf]) => {
    const values = whole.map(valueOf).filter((value) => value !== undefined);
    const summary = summarize(values);
    return summary === undefined ? [] : [[name, summary] as const];
  });
  return {
    date: date.toISOString(),
    machine: describeMachine(),
    options,
    ...use,
    runs,
    failedRuns: runs.length - whole.length,
    figures: Object.fromEntries(figures),
  };
}

/** The table: a line on what was measured, then one line for each figure. */
export function formatTable(report: Report): string {
  const rows = Object.entries(report.figures).map(([name, { median, min, max }]) => [name, median, min, max].map(cell));
  const memory = [["memory at rest", report.atRest], ["memory afterwards", report.afterwards]] as const;
  return [
    titleOf(report),
    "",
    lineOf(["", "median", "min", "max"]),
    ...rows.map(lineOf),
    ...memory.flatMap(([name, use]) => use === undefined ? [] : [memoryLine(name, use)]),
    ...syncsLine(report.syncs),
    ...(report.noisyStarts > 0 ? [`${report.noisyStarts} of the runs began on a busy machine`] : []),
    ...report.runs.flatMap((run, index) => run.complete ? [] : [failureOf(run, index + 1, report.options)]),
  ].join("\n");
}

/** Which calls, and how many of them for a message; where the device's flushes are counted, that is said as well. */
export function syncsLine(syncs: CountedSyncs | undefined): readonly string[] {
  if (syncs === undefined) return [];
  const { calls, messages, recipients } = syncs;
  const names = Object.entries(calls).map(([name, count]) => `${count} ${name}`).join(", ");
  const each = (count: number) => cell(totalOf(calls) / count);
  return [
    `syncs by strace: ${names === "" ? "none" : names} for ${messages} messages, ${each(messages)} a message` +
    (recipients === messages ? "" : `, ${each(recipients)} a recipient`),
  ];
}

/** Whose figures they are. */
export function serverName({ target }: Options): string {
  return target.kind === "own" ? "dqmail" : `${target.host}:${target.port}`;
}

/** What was measured. */
export function titleOf({ options, machine }: Report): string {
  const { scenario, filter, messages, recipientsPerMessage, sizeBytes, sessions, runs } = options;
  const connections = options.reuse ? "connections kept" : "one connection a message";
  const work = filter === undefined ? "" : ` --${filter}`;
  return `${scenario}${work}, ${
    serverName(options)
  }: ${messages} x ${sizeBytes} bytes, ${recipientsPerMessage} recipients a message, ` +
    `${sessions} sessions, ${connections}, ${runs} runs; ${machine.cores} cores, Linux ${machine.kernel}`;
}

/** A figure with as many digits as it deserves. */
export function cell(value: string | number): string {
  if (typeof value === "string") return value;
  return value >= 1000 ? value.toFixed(0) : value.toFixed(Number.isInteger(value) ? 0 : value < 10 ? 3 : 1);
}

function lineOf(cells: readonly string[]): string {
  const [name = "", ...values] = cells;
  return name.padEnd(26) + values.map((value) => value.padStart(12)).join("");
}

function memoryLine(name: string, use: TreeUse): string {
  return `${lineOf([name, (use.pssKib / 1024).toFixed(1)])} MiB in ${use.processes} processes`;
}

function failureOf({ load, lost, evidence }: RunResult, number: number, { filter }: Options): string {
  const lacks = evidence !== undefined && filter !== undefined && !evidence.isEnough;
  return `run ${number} failed: ${load.accepted} accepted, ${load.refused} refused, ${load.errors} errors, ` +
    `${load.unfinished} unfinished, ${load.recipientsRefused} recipients refused, ${lost ?? 0} not delivered` +
    (load.firstError === undefined ? "" : `; first: ${load.firstError}`) +
    (lacks ? `; ${describeLack(evidence, filter)}` : "");
}
