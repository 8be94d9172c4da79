/**
 * `bench growth`: what a message costs while something grows.
 * @module
 */
import { printReport } from "../output.ts";
import { showProgress } from "../progress.ts";
import { dimensions } from "./dimensions.ts";
import { measureStep, type StepFigures } from "./measure.ts";
import type { GrowthOptions } from "./options.ts";
import { formatGrowth, makeGrowthReport, pageOfGrowth } from "./report.ts";

/** Measures and prints; answers the exit code. */
export async function runGrowth(options: GrowthOptions, signal: AbortSignal): Promise<number> {
  const chosen = dimensions.filter(({ name }) => options.only.includes(name)).map((dimension) => ({
    dimension,
    chosen: dimension.steps.filter(({ x, full }) => x <= options.most && (options.full || full !== true)),
  }));
  const total = chosen.reduce((sum, one) => sum + one.chosen.length, 0);
  const progress = showProgress("measuring");
  const measured = [];
  let done = 0;
  for (const one of chosen) {
    const steps: StepFigures[] = [];
    for (const step of one.chosen) {
      steps.push(await measureStep(one.dimension, step, options, signal));
      progress(++done, total);
    }
    measured.push({ dimension: one.dimension, steps });
  }
  const report = makeGrowthReport(options, measured, new Date());
  await printReport(report, options, { table: () => formatGrowth(report), page: () => pageOfGrowth(report) });
  return report.failedRuns === 0 ? 0 : 1;
}
