/**
 * `bench rows`, `bench compare`, `bench idle` and `bench start`: everything that the table of goals has, for dqmail alone,
 * beside other servers, or for one that runs already.
 * @module
 */
import { printReport } from "../output.ts";
import { providePeer } from "../peers/peers.ts";
import { showProgress } from "../progress.ts";
import { type Contender, dqmail } from "./contender.ts";
import { measure, type MeasurementResult } from "./measure.ts";
import type { RowsOptions, StartedPeer } from "./options.ts";
import { formatRows, makeRowsReport, pageOfRows, type RowsReport } from "./report.ts";

/** Looks for a peer's programs. Throws what an operator has to do where they are missing. */
export type ProvidePeer = (name: StartedPeer, programs: string) => Contender;

/** Measures and prints; answers the exit code: goals are printed, not asserted. */
export async function runRows(options: RowsOptions, signal: AbortSignal): Promise<number> {
  const report = await measureRows(options, signal);
  await printReport(report, options, { table: () => formatRows(report), page: () => pageOfRows(report) });
  return report.failedRuns === 0 ? 0 : 1;
}

/** Measures. `provide` is how peers are found. */
export async function measureRows(
  options: RowsOptions,
  signal: AbortSignal,
  provide: ProvidePeer = providePeer,
): Promise<RowsReport> {
  const contenders = [ownOf(options), ...options.peers.map((name) => provide(name, options.programs))];
  const results: MeasurementResult[] = [];
  const progress = showProgress("measuring");
  for (const name of options.measurements) {
    const some = contenders.filter(({ only }) => only === undefined || only.includes(name));
    results.push(await measure(name, some, options, signal));
    progress(results.length, options.measurements.length);
  }
  return makeRowsReport(options, contenders, results, new Date());
}

function ownOf({ against }: RowsOptions): Contender {
  return against === undefined ? dqmail : { key: "own", name: against.address, notes: [], start: undefined };
}
