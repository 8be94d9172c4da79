/**
 * except PROGRAM ARGUMENT…: turns a program's answer around: `|except bouncesaying …` bounces what the other would not.
 * Exit codes: 100 where the program's is 0, 111 where it is that or the program crashed, else 0.
 * @module
 */
import type { Caller } from "./support/caller.ts";
import { requireAnswer, runWithInput } from "./support/child.ts";
import { runProgram, usage } from "./support/run_program.ts";

async function except(caller: Caller): Promise<number> {
  if (caller.args.length === 0) throw usage("except program [ arg ... ]");
  return requireAnswer(await runWithInput(caller, caller.args)) ? 100 : 0;
}

if (import.meta.main) await runProgram("except", except);
