/**
 * `bench fairness`: how long a fresh message takes while others are many, slow or stuck.
 * @module
 */
import { Child } from "../json_lines.ts";
import { startLoad } from "../load.ts";
import type { SinkReport, SinkRequest } from "../sink.ts";
import { showProgress } from "../progress.ts";
import { measureSituation, type Rig, type SituationFigures } from "./measure.ts";
import type { FairnessOptions } from "./options.ts";
import { formatFairness, makeFairnessReport } from "./report.ts";
import { situations } from "./situations.ts";

/** Measures and prints; answers the exit code: the goal is printed, not asserted. */
export async function runFairness(options: FairnessOptions, signal: AbortSignal): Promise<number> {
  await using processes = new AsyncDisposableStack();
  const sink = processes.use(new Child<SinkRequest, SinkReport>("./sink.ts"));
  const { port: sinkPort } = await sink.ask({ kind: "start", port: 0, delayMs: options.delayMs });
  const load = processes.use(startLoad());
  const rig: Rig = { options, sink, load, sinkPort, signal };
  const figures: SituationFigures[] = [];
  const progress = showProgress("measuring");
  for (const situation of situations) {
    figures.push(await measureSituation(rig, situation));
    progress(figures.length, situations.length);
  }
  const report = makeFairnessReport(options, figures, new Date());
  console.log(options.json ? JSON.stringify(report) : formatFairness(report));
  return figures.every(({ local, remote }) => local.missing + remote.missing === 0) ? 0 : 1;
}
