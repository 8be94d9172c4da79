/**
 * preline [-frdFRD] COMMAND ARGUMENT…: gives a program the message with UFLINE, RPLINE and DTLINE in front, for those
 * that expect a line "From ". Exit codes: the program's; 111 where it crashed, 100 where preline was called wrongly.
 * @module
 */
import { type Caller, Ending, requireVariable } from "./support/caller.ts";
import { runFed } from "./support/child.ts";
import { parseFlags } from "./support/flags.ts";
import { behind } from "./support/message.ts";
import { runProgram, usage } from "./support/run_program.ts";

const lines = [["f", "UFLINE"], ["r", "RPLINE"], ["d", "DTLINE"]] as const;

/** The variables whose lines are wanted, in their order, and the command; `undefined` for a call that is none. */
export function parsePreline(
  args: readonly string[],
): { readonly names: readonly string[]; readonly command: readonly string[] } | undefined {
  const parsed = parseFlags(args, "frdFRD");
  if (parsed === undefined || parsed.rest.length === 0) return undefined;
  const without = new Set<string>();
  for (const flag of parsed.flags) {
    if (flag === flag.toLowerCase()) without.add(flag);
    else without.delete(flag.toLowerCase());
  }
  return { names: lines.filter(([flag]) => !without.has(flag)).map(([, name]) => name), command: parsed.rest };
}

async function preline(caller: Caller): Promise<number> {
  const parsed = parsePreline(caller.args);
  if (parsed === undefined) throw usage("preline [ -frdFRD ] cmd [ arg ... ]");
  const front = parsed.names.map((name) => requireVariable(caller, name)).join("");
  const exit = await runFed(caller, parsed.command, behind(front));
  if (exit === undefined) throw new Ending(111, "child crashed");
  return exit;
}

if (import.meta.main) await runProgram("preline", preline);
