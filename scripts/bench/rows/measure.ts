/**
 * Measures the chosen rows: each measurement for all contenders in turn, so that they share the machine's good and bad hours.
 * @module
 */
import { err, ok, type Result } from "../../../components/lib/result.ts";
import { settle } from "../quiet.ts";
import { type CountedSyncs, countRun, type Rig, runOnce, type RunResult, setUp, warmUp } from "../scenarios.ts";
import { summarize, type Summary } from "../statistics.ts";
import { hasStrace } from "../syncs.ts";
import type { Contender } from "./contender.ts";
import { type IdleFigures, measureIdle, measureOwnIdle, measurePeerIdle } from "./idle.ts";
import { loadOptions } from "./load_options.ts";
import { type Measurement, type MeasurementName, measurements } from "./measurements.ts";
import type { RowsOptions } from "./options.ts";
import type { FigureName } from "./table_rows.ts";

export type Figures = Readonly<Partial<Record<FigureName, Summary>>>;

/** One measurement of one contender. */
export interface Measured {
  readonly contender: Contender["key"];
  readonly figures: Figures;
  /** Of a load; empty otherwise. */
  readonly runs: readonly RunResult[];
  readonly syncs: CountedSyncs | undefined;
  /** Why there is no figure. */
  readonly skipped: string | undefined;
}

export interface MeasurementResult {
  readonly name: MeasurementName;
  readonly measured: readonly Measured[];
}

/** Makes one measurement. Rejects where `signal` says so. */
export async function measure(
  name: MeasurementName,
  contenders: readonly Contender[],
  options: RowsOptions,
  signal: AbortSignal,
): Promise<MeasurementResult> {
  const measurement: Measurement = measurements[name];
  const measured = measurement.kind === "load"
    ? await measureLoad({ name, argv: measurement.argv }, contenders, options, signal)
    : measurement.kind === "idle"
    ? await inTurn(contenders, signal, (one) => idleOf(one, options))
    : await inTurn(contenders, signal, (one) => startOf(one, options));
  return { name, measured };
}

async function inTurn(
  contenders: readonly Contender[],
  signal: AbortSignal,
  of: (one: Contender) => Promise<Result<Figures, string>>,
): Promise<readonly Measured[]> {
  const measured: Measured[] = [];
  for (const contender of contenders) {
    signal.throwIfAborted();
    const figures = await of(contender);
    measured.push(figures.ok ? { ...nothing(contender), figures: figures.value } : skip(contender, figures.error));
  }
  return measured;
}

/** All are set up, each has a run in turn, and in the end each is looked at with strace. */
async function measureLoad(
  { name, argv }: { readonly name: MeasurementName; readonly argv: readonly string[] },
  contenders: readonly Contender[],
  options: RowsOptions,
  signal: AbortSignal,
): Promise<readonly Measured[]> {
  await using stack = new AsyncDisposableStack();
  const load = contenders.map((contender) => {
    const why = contender.without?.[name];
    return { contender, parsed: why === undefined ? loadOptions(argv, options) : err(why) };
  });
  const rigs: { readonly contender: Contender; readonly rig: Rig; readonly runs: RunResult[] }[] = [];
  for (const { contender, parsed } of load) {
    if (!parsed.ok) continue;
    signal.throwIfAborted();
    const rig = stack.use(await setUp(parsed.value, contender.start));
    // What is under way then fails, and the error travels past the stack on its way out.
    signal.addEventListener("abort", () => void rig[Symbol.asyncDispose]());
    await warmUp(rig);
    rigs.push({ contender, rig, runs: [] });
  }
  for (let run = 0; run < options.runs; run++) {
    for (const { rig, runs } of rigs) {
      signal.throwIfAborted();
      if (options.settleSeconds > 0) await settle(options.settleSeconds * 1000);
      runs.push(await runOnce(rig));
    }
  }
  const strace = options.syncs && hasStrace();
  const measured: Measured[] = [];
  for (const { contender, parsed } of load) {
    const made = rigs.find((one) => one.contender === contender);
    if (made === undefined) {
      measured.push(skip(contender, parsed.ok ? "not measured" : parsed.error));
      continue;
    }
    const syncs = strace ? await countRun(made.rig) : undefined;
    measured.push({ ...nothing(contender), figures: figuresOf(made.runs), runs: made.runs, syncs });
  }
  return measured;
}

/** Medians over the runs in which everything arrived. */
export function figuresOf(runs: readonly RunResult[]): Figures {
  const whole = runs.filter((run) => run.complete);
  const columns: Readonly<Record<string, (run: RunResult) => number | undefined>> = {
    "messages/s": (run) => run.messagesPerSecond,
    "seconds": (run) => run.seconds,
    "p50 ms": (run) => run.load.latency.p50,
    "p99 ms": (run) => run.load.latency.p99,
    "CPU ms": (run) => run.serverCpuMs === undefined ? undefined : run.serverCpuMs / run.load.accepted,
  };
  const summaries = Object.entries(columns).flatMap(([name, of]) => {
    const summary = summarize(whole.map(of).filter((value) => value !== undefined));
    return summary === undefined ? [] : [[name, summary] as const];
  });
  return Object.fromEntries(summaries);
}

async function idleOf({ key, start }: Contender, options: RowsOptions): Promise<Result<Figures, string>> {
  const { dir, connections, settleSeconds, against } = options;
  const how = { dir, connections, settleMs: settleSeconds * 1000 };
  if (start !== undefined) return ok(single(await (key === "own" ? measureOwnIdle : measurePeerIdle)(how, start)));
  const [host = "", port = ""] = against?.address.split(":") ?? [];
  if (against?.pid === undefined) return err("Memory of a server that runs already needs --pid");
  return ok(single(await measureIdle({ host, port: Number(port), pid: against.pid }, how)));
}

async function startOf({ start }: Contender, { dir, runs }: RowsOptions): Promise<Result<Figures, string>> {
  if (start === undefined) return err("A server that runs already cannot be started");
  await using server = await start({ dir, users: 0, hold: false, relayPort: undefined });
  const seconds: number[] = [];
  while (seconds.length < runs) seconds.push(await server.restart());
  const summary = summarize(seconds);
  return ok(summary === undefined ? {} : { "start s": summary });
}

function single(figures: IdleFigures): Figures {
  const summaries = Object.entries(figures).map(([name, value]) => [name, summarize([value ?? 0])] as const);
  return Object.fromEntries(summaries.filter(([, summary]) => summary !== undefined));
}

function nothing({ key }: Contender): Measured {
  return { contender: key, figures: {}, runs: [], syncs: undefined, skipped: undefined };
}

function skip(contender: Contender, why: string): Measured {
  return { ...nothing(contender), skipped: why };
}
