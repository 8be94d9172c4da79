/**
 * What a program's end means for the delivery (qmail's interface, qmail-command "exit codes").
 * @module
 */
import type { ProgramEnd } from "../lib/process/program_end.ts";

/** `next`: go on with the next line. `stop`: done, the lines that follow are ignored. */
export type ProgramVerdict = "next" | "stop" | "failure" | "deferral";

/** 100 is qmail's own; the others are sysexits.h's for what will not change by waiting, and qmail-local's own 112. */
const hardCodes: readonly number[] = [100, 64, 65, 70, 76, 77, 78, 112];

export function programVerdict(end: ProgramEnd): ProgramVerdict {
  if (end.kind !== "exited") return "deferral";
  if (end.code === 0) return "next";
  if (end.code === 99) return "stop";
  return hardCodes.includes(end.code) ? "failure" : "deferral";
}

/** What is said of an end that says nothing itself; a line, or "". */
export function endText(end: ProgramEnd): string {
  switch (end.kind) {
    case "exited":
      return "";
    case "crashed":
      return "Aack, child crashed. (#4.3.0)\n";
    case "timeout":
      return "The program took too long and was ended. (#4.3.0)\n";
  }
}
