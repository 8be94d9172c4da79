/**
 * What `bench rows` and `bench compare` print: the table of goals, everything as one JSON object, or a page.
 * @module
 */
import { formatTable } from "../../table.ts";
import type { Page, Table } from "../html/page.ts";
import { drawRuns, tableOfRuns } from "../html/run_plots.ts";
import { describeDay, describeMachine, type Machine } from "../machine.ts";
import { cell, syncsLine } from "../report.ts";
import { totalOf } from "../syncs.ts";
import type { Contender } from "./contender.ts";
import { describeGoal, judgeAll, ratio, type RowFigures } from "./judge.ts";
import type { Measured, MeasurementResult } from "./measure.ts";
import { peerNames, type RowsOptions } from "./options.ts";
import { type PeerName, type TableRow, tableRows } from "./table_rows.ts";

export interface RowsReport {
  readonly date: string;
  readonly machine: Machine;
  readonly options: RowsOptions;
  readonly contenders: readonly Pick<Contender, "key" | "name" | "notes">[];
  /** The table's rows for which something was measured. */
  readonly rows: readonly JudgedRow[];
  readonly measurements: readonly MeasurementResult[];
  /** Of loads, in which something was refused, lost or late. */
  readonly failedRuns: number;
}

/** Medians, by who was measured. */
export interface JudgedRow extends RowFigures {
  readonly title: string;
  readonly goals: readonly string[];
  readonly verdict: ReturnType<typeof judgeAll>;
}

/** Puts the report together. */
export function makeRowsReport(
  options: RowsOptions,
  contenders: readonly Contender[],
  measurements: readonly MeasurementResult[],
  date: Date,
): RowsReport {
  const rows = tableRows.flatMap((row) => {
    const result = measurements.find(({ name }) => name === row.measurement);
    return result === undefined ? [] : [judgeRow(row, result)];
  });
  const runs = measurements.flatMap(({ measured }) => measured.flatMap((one) => one.runs));
  return {
    date: date.toISOString(),
    machine: describeMachine(),
    options,
    contenders: contenders.map(({ key, name, notes }) => ({ key, name, notes })),
    rows,
    measurements,
    failedRuns: runs.filter((run) => !run.complete).length,
  };
}

/** A row with its figures and what they come to. */
export function judgeRow({ title, figure, goals }: TableRow, { measured }: MeasurementResult): JudgedRow {
  const medianOf = (key: Contender["key"]) =>
    measured.find(({ contender }) => contender === key)?.figures[figure]?.median;
  const peers: Partial<Record<PeerName, number>> = {};
  for (const peer of peerNames) {
    const median = medianOf(peer);
    if (median !== undefined) peers[peer] = median;
  }
  const figures: RowFigures = { own: medianOf("own"), peers };
  return { ...figures, title, goals: goals.map(describeGoal), verdict: judgeAll(goals, figures) };
}

/** The table: a line of each row, then syncs, notes, and what went wrong. */
export function formatRows(report: RowsReport): string {
  const { machine, contenders } = report;
  return [
    leadOf(report),
    "",
    formatTable(tableOf(report)),
    "",
    ...syncsOf(report),
    ...contenders.flatMap(({ notes }) => notes),
    ...(machine.loadAverage > machine.cores ? ["The machine was busy with other work as well."] : []),
    ...problemsOf(report),
  ].join("\n");
}

function leadOf(report: RowsReport): string {
  const { dir, runs, against } = report.options;
  const files = against === undefined ? `; files below ${dir}` : "";
  return `${describeDay(report)}${files}; ${runs === 1 ? "one run each" : `medians of ${runs} runs`}`;
}

/** Its cells, the head first. */
export function tableOf({ contenders, rows }: RowsReport): Table {
  const peers = contenders.flatMap(({ key, name }) => key === "own" ? [] : [{ key, name }]);
  const own = contenders.find(({ key }) => key === "own");
  const of = (row: JudgedRow) => [
    row.title,
    cellOf(row.own),
    ...peers.flatMap(({ key }) => [cellOf(row.peers[key]), cellOf(ratio(row, key))]),
    row.goals.join(", "),
    row.verdict === "open" ? "–" : row.verdict,
  ];
  return [
    ["", own?.name ?? "", ...peers.flatMap(({ name }) => [name, "ratio"]), "goal", ""],
    ...rows.map(of),
  ];
}

function cellOf(value: number | undefined): string {
  return value === undefined ? "–" : cell(Number(value.toPrecision(3)));
}

/** By strace, or by the device's counter where there is none. */
function syncsOf({ measurements, contenders }: RowsReport): readonly string[] {
  const rows = measurements.flatMap(({ name, measured }) =>
    measured.flatMap((one) => {
      const cells = syncCells(one);
      return cells === undefined ? [] : [[name, nameIn(contenders, one.contender), ...cells]];
    })
  );
  if (rows.length === 0) return [];
  const head = [
    "syncs",
    "",
    "calls/message (strace)",
    "calls/recipient",
    "device flushes/message",
    "journal commits/message",
  ];
  return [formatTable([head, ...rows]), ""];
}

function syncCells({ syncs, runs }: Measured): readonly string[] | undefined {
  const accepted = runs.reduce((sum, run) => sum + run.load.accepted, 0);
  const sum = (of: (run: Measured["runs"][number]) => number | undefined) =>
    runs.reduce((total, run) => total + (of(run) ?? NaN), 0) / accepted;
  const [flushes, commits] = [sum((run) => run.diskFlushes), sum((run) => run.journalCommits)];
  if (accepted === 0 || (syncs === undefined && Number.isNaN(flushes))) return undefined;
  return [
    cellOf(syncs === undefined ? undefined : totalOf(syncs.calls) / syncs.messages),
    cellOf(syncs === undefined ? undefined : totalOf(syncs.calls) / syncs.recipients),
    ...[flushes, commits].map((value) => cellOf(Number.isNaN(value) ? undefined : value)),
  ];
}

function nameIn(contenders: RowsReport["contenders"], key: Contender["key"]): string {
  return contenders.find((one) => one.key === key)?.name ?? key;
}

function problemsOf({ measurements, contenders, failedRuns }: RowsReport): readonly string[] {
  const skipped = measurements.flatMap(({ name, measured }) =>
    measured.flatMap(({ contender, skipped }) =>
      skipped === undefined ? [] : [`${nameIn(contenders, contender)} without ${name}: ${skipped}`]
    )
  );
  const failed = measurements.flatMap(({ name, measured }) =>
    measured.flatMap(({ contender, runs }) => {
      const bad = runs.filter((run) => !run.complete);
      const first = bad.map(({ load, lost }) => load.firstError ?? `${lost ?? 0} not delivered in time`)[0];
      return bad.length === 0
        ? []
        : [`${nameIn(contenders, contender)}, ${name}: of ${runs.length} runs ${bad.length} failed: ${first}`];
    })
  );
  return failedRuns + skipped.length === 0 ? [] : [...skipped, ...failed];
}

/** The report as a page: the table, then how the runs of each load went. */
export function pageOfRows(report: RowsReport): Page {
  const { contenders, measurements } = report;
  const sections = measurements.flatMap(({ name, measured }) => {
    const servers = measured.flatMap(({ contender, runs }) =>
      runs.length === 0 ? [] : [{ server: nameIn(contenders, contender), runs }]
    );
    if (servers.length === 0) return [];
    const notes = measured.flatMap((one) =>
      syncsLine(one.syncs).map((line) => `${nameIn(contenders, one.contender)}: ${line}`)
    );
    return [{ title: name, notes, plots: drawRuns(servers), table: tableOfRuns(servers) }];
  });
  const notes = [...contenders.flatMap((one) => one.notes), ...problemsOf(report)];
  return {
    title: `bench: ${contenders.map(({ name }) => name).join(", ")}`,
    lead: [leadOf(report)],
    sections: [{ title: "Goals", notes, plots: [], table: tableOf(report) }, ...sections],
  };
}
