/**
 * tlsrpt's shell: what it counts and reports, for components/lib/reports.
 * @module
 */
import { isDomain } from "../../config/values.ts";
import type { Running, Start } from "../lib/process/component.ts";
import { type RunOptions, runReporting } from "../lib/reports/run.ts";
import { tlsNotes } from "../lib/tlsrpt/counts.ts";
import { parseTlsrptNote } from "../lib/wire/tlsrpt_protocol.ts";
import { mayCall } from "../lib/wire/may_call.ts";
import { serveStsMemory } from "./sts_memory.ts";
import { draftTlsReport } from "./reporter.ts";

/** Starts serving. Throws CannotStart on a malformed control file. */
export function run(start: Start, options: RunOptions = {}): Running {
  const reporting = runReporting(start, {
    name: "tlsrpt",
    dir: start.home.tlsrpt(),
    kind: tlsNotes,
    receive: (frame) => {
      const note = parseTlsrptNote(frame);
      // Anything else has no record that could ask for a report, and would end up in a file's name.
      return isDomain(note.domain) ? note : undefined;
    },
    from: ({ tlsrptfrom }) => tlsrptfrom,
    draft: draftTlsReport,
  }, options);
  // Where control/mtasts is 0 nobody has policies, and the socket is in no grant.
  const memory = mayCall(start.home, "sts-memory") ? serveStsMemory(start.home, options) : undefined;
  return {
    ...reporting,
    stop: async () => {
      await Promise.all([reporting.stop(), memory?.stop()]);
    },
  };
}
