/**
 * `bench disk`: what this disk and the runtime allow, to hold a server's figures against.
 * @module
 */
import { describeDay, describeMachine, type Machine } from "../machine.ts";
import { settle } from "../quiet.ts";
import { summarize, type Summary } from "../statistics.ts";
import type { DiskOptions } from "./options.ts";
import { works } from "./works.ts";

export interface DiskReport {
  readonly date: string;
  readonly machine: Machine;
  readonly options: DiskOptions;
  /** Per second, by what was done. */
  readonly figures: Readonly<Record<string, Summary>>;
}

/** Measures and prints; answers the exit code. */
export async function runDisk(options: DiskOptions, stop: AbortSignal): Promise<number> {
  const figures: Record<string, Summary> = {};
  for (const [name, work] of Object.entries(works)) {
    const perSecond: number[] = [];
    while (perSecond.length < options.runs) {
      stop.throwIfAborted();
      if (options.settleMs > 0) await settle(options.settleMs);
      const dir = Deno.makeTempDirSync({ dir: options.dir, prefix: "dqmail-bench-disk-" });
      try {
        const { seconds, count } = await work(options, dir);
        perSecond.push(count / seconds);
      } finally {
        Deno.removeSync(dir, { recursive: true });
      }
    }
    figures[name] = summarize(perSecond)!;
  }
  const report: DiskReport = { date: new Date().toISOString(), machine: describeMachine(), options, figures };
  console.log(options.json ? JSON.stringify(report) : formatDisk(report));
  return 0;
}

/** As a table: per second, and what one takes. */
export function formatDisk(report: DiskReport): string {
  const { runs, writers, dir } = report.options;
  const rows = Object.entries(report.figures).map(([name, { median }]) =>
    `${median.toFixed(0).padStart(8)}/s ${(1000 / median).toFixed(3).padStart(8)} ms  ${name}`
  );
  const what = `${writers} at a time; files below ${dir}; medians of ${runs} runs`;
  return `${describeDay(report)}\n${what}\n\n${rows.join("\n")}\n`;
}
