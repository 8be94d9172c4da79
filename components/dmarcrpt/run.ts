/**
 * dmarcrpt's shell: what it counts and reports, for components/lib/reports.
 * @module
 */
import { dmarcNotes } from "../lib/dmarc/counts.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { type RunOptions, runReporting } from "../lib/reports/run.ts";
import { parseObservation } from "../lib/wire/dmarcrpt_protocol.ts";
import { draftDmarcReport } from "./reporter.ts";

/** Starts serving. Throws CannotStart on a malformed control file. */
export function run(start: Start, options: RunOptions = {}): Running {
  return runReporting(start, {
    name: "dmarcrpt",
    dir: start.home.dmarcrpt(),
    kind: dmarcNotes,
    receive: parseObservation,
    from: ({ dmarcrptfrom }) => dmarcrptfrom,
    draft: draftDmarcReport,
  }, options);
}
