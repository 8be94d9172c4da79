/**
 * What `bench backlog` prints: a table, or everything as one JSON object.
 * @module
 */
import { formatTable } from "../../table.ts";
import type { LoadReport } from "../load.ts";
import { describeMachine, type Machine } from "../machine.ts";
import { summarize } from "../statistics.ts";
import type { BacklogFigures, MemoryFigures, StartFigures } from "./measure.ts";
import type { BacklogOptions } from "./options.ts";

export interface BacklogReport extends BacklogFigures {
  readonly date: string;
  readonly machine: Machine;
  readonly options: BacklogOptions;
  readonly messages: number;
  readonly fillSeconds: number | undefined;
  /** Everything was accepted, arrived, known and ended within its limit. */
  readonly complete: boolean;
}

/** Puts the report together. */
export function makeBacklogReport(
  options: BacklogOptions,
  queue: { readonly messages: number; readonly fillSeconds: number | undefined },
  figures: BacklogFigures,
  date: Date,
): BacklogReport {
  const { messages, fillSeconds } = queue;
  const of = { date: date.toISOString(), machine: describeMachine(), options, messages, fillSeconds };
  return { ...of, ...figures, complete: isComplete(figures) };
}

function isComplete({ first, second, during, after, freshLatency, stop, secondStop }: BacklogFigures): boolean {
  const started = [first, second].every((start) => start.firstMailMs !== undefined && start.scan.seconds !== undefined);
  const accepted = [...during, ...after].every((load) => load.refused + load.errors + load.unfinished === 0);
  return started && accepted && freshLatency !== undefined && !stop.killed && !secondStop.killed;
}

/** The table; what did not come to its end within the limit has a dash. */
export function formatBacklog(report: BacklogReport): string {
  const { machine, messages, first, second, memory, stop, secondStop } = report;
  const starts: readonly (readonly [string, (start: StartFigures) => string])[] = [
    ["start to the first 220, s", (start) => cell(start.greetingSeconds)],
    ["start to a fresh message in its Maildir, s", (start) => cell(start.firstMailSeconds)],
    ["that message, 250 to Maildir, ms", (start) => cell(start.firstMailMs)],
    ["start to qmail-send's first answer, s", (start) => cell(start.scan.answeredSeconds)],
    ["scan, from then on, s", (start) => cell(start.scan.seconds)],
    ["slowest answer during the scan, ms", (start) => cell(start.scan.slowestAnswerMs)],
  ];
  const fresh = report.freshLatency;
  return [
    `backlog, dqmail: ${messages} messages that wait; ${machine.cores} cores, Linux ${machine.kernel}`,
    ...(report.fillSeconds === undefined ? [] : [`made in ${cell(report.fillSeconds)} s`]),
    "",
    formatTable([
      ["", "under load", "restart"],
      ...starts.map(([name, of]) => [name, of(first), of(second)]),
      ["orderly stop, s", stopCell(stop), stopCell(secondStop)],
    ]),
    "",
    formatTable([
      ["load", "rounds", "messages/s", "p50 ms", "p95 ms", "p99 ms", "max ms"],
      ["begun during the scan", ...loadCells(report.during)],
      ["after it", ...loadCells(report.after)],
      ["one by one, 250 to Maildir", "", "", ...[fresh?.p50, fresh?.p95, fresh?.p99, fresh?.max].map(cell)],
    ]),
    "",
    formatTable([
      ["memory, MiB", "qmail-send PSS", "RSS", "peak RSS", "all PSS"],
      ["after the scan", ...memoryCells(memory.afterScan)],
      ["after the load", ...memoryCells(memory.atEnd)],
    ]),
    ...(report.complete
      ? []
      : ["", "not complete: something was refused, did not arrive, or took longer than --limit"]),
  ].join("\n");
}

function cell(value: number | undefined): string {
  if (value === undefined) return "-";
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function stopCell(stop: { readonly seconds: number; readonly killed: boolean }): string {
  return stop.killed ? "-" : cell(stop.seconds);
}

/** Medians over the rounds. */
function loadCells(loads: readonly LoadReport[]): string[] {
  const median = (of: (load: LoadReport) => number) => cell(summarize(loads.map(of))?.median);
  return [
    String(loads.length),
    median((load) => load.seconds > 0 ? load.accepted / load.seconds : 0),
    ...(["p50", "p95", "p99", "max"] as const).map((name) => median((load) => load.latency[name])),
  ];
}

function memoryCells({ qmailSend, all }: MemoryFigures): string[] {
  return [qmailSend.pssKib, qmailSend.rssKib, qmailSend.peakRssKib, all.pssKib].map((kib) => cell(kib / 1024));
}
