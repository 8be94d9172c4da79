/**
 * How runs went while they lasted, as plots: throughput (accepted, and delivered where that is awaited) and latency.
 * @module
 */
import type { RunResult } from "../scenarios.ts";
import { drawPlot, type Series } from "./plot.ts";
import type { Table } from "./page.ts";

/** The runs of one server. */
export interface ServerRuns {
  readonly server: string;
  readonly runs: readonly RunResult[];
}

const seconds = { label: "seconds since the run began", spread: "linear" } as const;

/** Both plots: a line for each run, a colour for each server. */
export function drawRuns(servers: readonly ServerRuns[]): readonly string[] {
  const series = (of: (run: RunResult, name: string, colour: number) => readonly Series[]) =>
    servers.flatMap(({ server, runs }, colour) => runs.flatMap((run) => of(run, server, colour)));
  return [
    drawPlot({
      title: "Throughput",
      x: seconds,
      y: { label: "messages/s accepted; dashed: recipients/s delivered", spread: "linear" },
      series: series((run, name, colour) => [acceptedOf(run, name, colour), ...deliveredOf(run, name, colour)]),
    }),
    drawPlot({
      title: "Latency",
      x: seconds,
      y: { label: "ms from connect to 250, p50; dashed: p99", spread: "log" },
      series: series((run, name, colour) => [
        latencyOf(run, "p50", name, colour),
        latencyOf(run, "p99", name, colour),
      ]),
    }),
  ];
}

/** The table beside them. */
export function tableOfRuns(servers: readonly ServerRuns[]): Table {
  return [
    ["server", "run", "messages/s", "p50 ms", "p99 ms", "CPU ms/message", "flushes/message"],
    ...servers.flatMap(({ server, runs }) =>
      runs.map((run, at) => [
        server,
        `${at + 1}${run.complete ? "" : " (failed)"}`,
        run.messagesPerSecond.toFixed(1),
        ...(["p50", "p99"] as const).map((name) => run.load.latency[name].toFixed(1)),
        perMessage(run.serverCpuMs, run),
        perMessage(run.diskFlushes, run),
      ])
    ),
  ];
}

function perMessage(total: number | undefined, { load }: RunResult): string {
  return total === undefined || load.accepted === 0 ? "–" : (total / load.accepted).toFixed(2);
}

function acceptedOf({ load: { timeline } }: RunResult, name: string, colour: number): Series {
  const { stepMs, accepted } = timeline;
  const points = accepted.map((count, at) => [(at + 0.5) * stepMs / 1000, count * 1000 / stepMs] as const);
  return { name, colour, points };
}

/** Counts become rates between one mark and the next. */
function deliveredOf({ deliveredOverTime: marks = [] }: RunResult, name: string, colour: number): Series[] {
  if (marks.length < 2) return [];
  const points = marks.slice(1).map(([at, count], index) => {
    const [beforeAt, before] = marks[index] ?? [0, 0];
    return [at / 1000, (count - before) * 1000 / Math.max(at - beforeAt, 1)] as const;
  });
  return [{ name, colour, dashed: true, points }];
}

function latencyOf({ load: { timeline } }: RunResult, which: "p50" | "p99", name: string, colour: number): Series {
  const points = timeline[which].map((ms, at) => [(at + 0.5) * timeline.stepMs / 1000, ms] as const);
  return { name, colour, dashed: which === "p99", points: points.filter(([, ms]) => ms > 0) };
}
