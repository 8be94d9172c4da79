/**
 * One step of a dimension: a scenario of its own server, what a message (or recipient) cost it, and how large the processes
 * on a message's way became.
 * @module
 */
import { type Options, parseOptions } from "../options.ts";
import { measureProcess, resetPeak } from "../processes.ts";
import { settle } from "../quiet.ts";
import { type Rig, runOnce, type RunResult, setUp, warmUp } from "../scenarios.ts";
import { startServer } from "../server.ts";
import { summarize } from "../statistics.ts";
import { componentPid } from "../status.ts";
import type { Dimension, Step } from "./dimensions.ts";
import { startFilled } from "./filled_server.ts";
import type { GrowthOptions } from "./options.ts";

/** Medians over the runs in which everything arrived; undefined where there is none. */
export interface StepFigures {
  readonly x: number;
  /** Of messages, recipients or MiB, as the dimension counts. */
  readonly perSecond: number | undefined;
  readonly cpuMs: number | undefined;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  /** Largest resident sets since before the first run, MiB; only where the dimension asks for them. */
  readonly peakMib: { readonly smtpd: number; readonly queue: number } | undefined;
  readonly failedRuns: number;
}

/** Measures one step. Rejects where `signal` says so. */
export async function measureStep(
  { per, peaks }: Dimension,
  step: Step,
  options: GrowthOptions,
  signal: AbortSignal,
): Promise<StepFigures> {
  signal.throwIfAborted();
  const limitMs = options.limitSeconds * 1000;
  const start = step.queued === undefined ? startServer : startFilled(step.queued, limitMs, signal);
  await using rig = await setUp(optionsOf(step, options), start);
  signal.throwIfAborted();
  // What is under way then fails, and the error travels past `using` on its way out.
  signal.addEventListener("abort", () => void rig[Symbol.asyncDispose]());
  await warmUp(rig);
  const pids = peaks ? await onTheWay(rig) : undefined;
  for (const pid of pids ?? []) resetPeak(pid);
  const runs: RunResult[] = [];
  while (runs.length < options.runs) {
    if (options.settleSeconds > 0) await settle(options.settleSeconds * 1000);
    runs.push(await runOnce(rig));
  }
  const [smtpd, queue] = pids ?? [];
  const whole = runs.filter((run) => run.complete);
  const { sizeBytes } = rig.options;
  const unitsOf = ({ load, wanted }: RunResult) =>
    per === "message" ? load.accepted : per === "recipient" ? wanted : load.accepted * sizeBytes / (1 << 20);
  const median = (of: (run: RunResult) => number) => summarize(whole.map(of))?.median;
  return {
    x: step.x,
    perSecond: median((run) => unitsOf(run) / run.seconds),
    cpuMs: median((run) => (run.serverCpuMs ?? NaN) / unitsOf(run)),
    p50Ms: median((run) => run.load.latency.p50),
    p99Ms: median((run) => run.load.latency.p99),
    peakMib: smtpd === undefined || queue === undefined ? undefined : { smtpd: peakMib(smtpd), queue: peakMib(queue) },
    failedRuns: runs.length - whole.length,
  };
}

function optionsOf({ argv }: Step, { dir, runs, limitSeconds }: GrowthOptions): Options {
  const parsed = parseOptions([...argv, "--dir", dir, "--runs", String(runs), "--limit", String(limitSeconds)]);
  if (!parsed.ok) throw new Error(parsed.error); // the steps are ours
  return parsed.value;
}

async function onTheWay({ home }: Rig): Promise<readonly number[]> {
  if (home === undefined) return [];
  const pids = await Promise.all(["qmail-smtpd", "qmail-queue"].map((name) => componentPid(home, name)));
  return pids.filter((pid) => pid !== undefined);
}

function peakMib(pid: number): number {
  return Math.round(measureProcess(pid).peakRssKib / 102.4) / 10;
}
