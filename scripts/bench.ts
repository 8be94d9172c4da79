/**
 * `deno task bench`: messages a second, processor time and latencies of dqmail, or of another server on this machine.
 * @module
 */
import { runBacklog } from "./bench/backlog/run.ts";
import { parseBacklogOptions } from "./bench/backlog/options.ts";
import { parseDiskOptions } from "./bench/disk/options.ts";
import { runDisk } from "./bench/disk/run.ts";
import { parseFairnessOptions } from "./bench/fairness/options.ts";
import { runFairness } from "./bench/fairness/run.ts";
import { parseGrowthOptions } from "./bench/growth/options.ts";
import { runGrowth } from "./bench/growth/run.ts";
import { help } from "./bench/help.ts";
import { printReport } from "./bench/output.ts";
import { formatTable, makeReport } from "./bench/report.ts";
import { pageOf } from "./bench/report_page.ts";
import { type Options, parseOptions } from "./bench/options.ts";
import { measurementNames } from "./bench/rows/measurements.ts";
import { parseRowsOptions, peerNames } from "./bench/rows/options.ts";
import { runRows } from "./bench/rows/run.ts";
import { inWords } from "./cli/called.ts";
import { ok, type Result } from "../components/lib/result.ts";
import { settle } from "./bench/quiet.ts";
import { countRun, runOnce, type RunResult, serverUse, setUp, warmUp } from "./bench/scenarios.ts";

/** Measures and prints; answers the exit code. */
async function bench(options: Options, stop: AbortSignal): Promise<number> {
  await using rig = await setUp(options);
  stop.throwIfAborted();
  // What is under way then fails, and the error travels past every `using` on its way out.
  stop.addEventListener("abort", () => void rig[Symbol.asyncDispose]());
  const atRest = serverUse(rig);
  await warmUp(rig);
  const runs: RunResult[] = [];
  let noisyStarts = 0;
  while (runs.length < options.runs) {
    if (options.settleMs > 0 && !await settle(options.settleMs)) noisyStarts++;
    runs.push(await runOnce(rig));
  }
  const afterwards = serverUse(rig);
  const syncs = options.syncs ? await countRun(rig) : undefined;
  const report = makeReport(options, runs, { atRest, afterwards, noisyStarts, syncs }, new Date());
  await printReport(report, options, { table: () => formatTable(report), page: () => pageOf(report) });
  return report.failedRuns === 0 ? 0 : 1;
}

type Run = (stop: AbortSignal) => Promise<number>;

/** What the command line asks for. */
function parseRun([scenario = "", ...rest]: readonly string[]): Result<Run, string> {
  switch (scenario) {
    case "backlog":
      return runOf(parseBacklogOptions(rest), runBacklog);
    case "disk":
      return runOf(parseDiskOptions(rest), runDisk);
    case "fairness":
      return runOf(parseFairnessOptions(rest), runFairness);
    case "growth":
      return runOf(parseGrowthOptions(rest), runGrowth);
    case "rows":
      return runOf(parseRowsOptions(rest, { measurements: measurementNames, peers: [] }), runRows);
    case "compare":
      return runOf(parseRowsOptions(rest, { measurements: measurementNames, peers: peerNames }), runRows);
    case "idle":
    case "start":
      return runOf(parseRowsOptions(rest, { measurements: [scenario], peers: [] }), runRows);
    default:
      return runOf(parseOptions(scenario === "" ? rest : [scenario, ...rest]), bench);
  }
}

function runOf<T>(
  options: Result<T, string>,
  run: (options: T, stop: AbortSignal) => Promise<number>,
): Result<Run, string> {
  return options.ok ? ok((stop) => run(options.value, stop)) : options;
}

async function codeOf(argv: readonly string[]): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    console.log(inWords(help));
    return 0;
  }
  const run = parseRun(argv);
  if (!run.ok) {
    console.error(inWords(`bench: ${run.error}. See deno task bench --help`));
    return 2;
  }
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => stop.abort());
  try {
    return await run.value(stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return 130;
    console.error(`bench: ${error instanceof Error ? error.message : error}`);
    return 111;
  }
}

/** What `deno task bench` does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  Deno.exit(await codeOf(argv));
}

if (import.meta.main) await main(Deno.args);
