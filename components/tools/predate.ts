/**
 * predate PROGRAM ARGUMENT…: gives a program the message with a Date field in front, in the time zone here (TZ, else the
 * machine's). Exit codes: the program's; 111 where it crashed, 100 where predate was called wrongly.
 * @module
 */
import { formatZonedDate } from "../lib/message/date.ts";
import { type Caller, Ending, variable } from "./support/caller.ts";
import { runFed } from "./support/child.ts";
import { behind } from "./support/message.ts";
import { runProgram, usage } from "./support/run_program.ts";

/** Minutes east of UTC at a time, in the zone of that name (`Europe/Berlin`); where there is none such, the machine's. */
export function offsetMinutes(unixSeconds: number, zone: string | undefined): number {
  const date = new Date(unixSeconds * 1000);
  // A TZ may begin with ":" (POSIX: the rest is as the system likes it).
  const name = zone?.replace(/^:/, "");
  if (name === undefined || name === "") return -date.getTimezoneOffset();
  try {
    const parts = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" }).formatToParts(date);
    const text = parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
    const [, sign, hours, minutes] = /^GMT([+-])([0-9]{2}):([0-9]{2})/.exec(text) ?? [];
    return hours === undefined ? 0 : (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  } catch {
    // A RangeError: POSIX's own notation (`CET-1CEST`), or no zone at all.
    return -date.getTimezoneOffset();
  }
}

async function predate(caller: Caller): Promise<number> {
  if (caller.args.length === 0) throw usage("predate program [ arg ... ]");
  const now = Math.floor(Date.now() / 1000);
  const date = formatZonedDate(now, offsetMinutes(now, variable(caller, "TZ")));
  const exit = await runFed(caller, caller.args, behind(`Date: ${date}\n`));
  if (exit === undefined) throw new Ending(111, "child crashed");
  return exit;
}

if (import.meta.main) await runProgram("predate", predate);
