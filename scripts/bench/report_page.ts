/**
 * The report of one scenario as an HTML file.
 * @module
 */
import { type Page, type Table } from "./html/page.ts";
import { drawRuns, tableOfRuns } from "./html/run_plots.ts";
import { describeDay } from "./machine.ts";
import { cell, type Report, serverName, syncsLine, titleOf } from "./report.ts";

/** The page; `formatPage` writes it. */
export function pageOf(report: Report): Page {
  const servers = [{ server: serverName(report.options), runs: report.runs }];
  const figures: Table = [
    ["", "median", "min", "max"],
    ...Object.entries(report.figures).map(([name, { median, min, max }]) => [name, ...[median, min, max].map(cell)]),
  ];
  return {
    title: `bench ${report.options.scenario}`,
    lead: [titleOf(report), describeDay(report), ...syncsLine(report.syncs)],
    sections: [
      { title: "Figures", notes: [], plots: [], table: figures },
      { title: "Runs", notes: [], plots: drawRuns(servers), table: tableOfRuns(servers) },
    ],
  };
}
