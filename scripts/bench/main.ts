/**
 * `deno task bench`: messages a second, processor time and latencies of dqmail, or of another server on this machine.
 * @module
 */
import { runBacklog } from "./backlog/run.ts";
import { parseBacklogOptions } from "./backlog/options.ts";
import { parseFairnessOptions } from "./fairness/options.ts";
import { runFairness } from "./fairness/run.ts";
import { help } from "./help.ts";
import { formatTable, makeReport } from "./report.ts";
import { type Options, parseOptions } from "./options.ts";
import { ok, type Result } from "../../components/lib/result.ts";
import { settle } from "./quiet.ts";
import { runOnce, type RunResult, serverUse, setUp, warmUp } from "./scenarios.ts";

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
  const report = makeReport(options, runs, { atRest, afterwards: serverUse(rig), noisyStarts }, new Date());
  console.log(options.json ? JSON.stringify(report) : formatTable(report));
  return report.failedRuns === 0 ? 0 : 1;
}

type Run = (stop: AbortSignal) => Promise<number>;

/** What the command line asks for. */
function parseRun([scenario = "", ...rest]: readonly string[]): Result<Run, string> {
  switch (scenario) {
    case "backlog":
      return runOf(parseBacklogOptions(rest), runBacklog);
    case "fairness":
      return runOf(parseFairnessOptions(rest), runFairness);
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

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    console.log(help);
    return 0;
  }
  const run = parseRun(argv);
  if (!run.ok) {
    console.error(`bench: ${run.error}. See deno task bench --help`);
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

if (import.meta.main) Deno.exit(await main(Deno.args));
