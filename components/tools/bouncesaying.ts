/**
 * bouncesaying TEXT [PROGRAM ARGUMENT…]: has the message bounce with TEXT, always or where the program says yes. Exit
 * codes: 100 bounce, 0 no bounce, 111.
 * @module
 */
import type { Caller } from "./support/caller.ts";
import { requireAnswer, runWithInput } from "./support/child.ts";
import { writeOctets } from "./support/input.ts";
import { runProgram, usage } from "./support/run_program.ts";

async function bouncesaying(caller: Caller): Promise<number> {
  const [text, ...words] = caller.args;
  if (text === undefined) throw usage("bouncesaying error [ program [ arg ... ] ]");
  if (words.length > 0) {
    if (!requireAnswer(await runWithInput(caller, words))) return 0;
  }
  await writeOctets(Deno.stdout, `${text}\n`);
  return 100;
}

if (import.meta.main) await runProgram("bouncesaying", bouncesaying);
