/**
 * setforward CDB TMP: makes fastforward's table of the instructions on its input (`target: command, …;`). Exit codes: 0,
 * 100 called wrongly, 111 nothing has changed.
 * @module
 */
import { parseTable } from "../lib/aliases/table.ts";
import { fromOctets } from "../lib/octets.ts";
import { runTool } from "../lib/process/tool.ts";
import { concat } from "../lib/wire/frame.ts";
import { readAllInput } from "./support/input.ts";
import { makeTable } from "./support/make_table.ts";
import { say } from "./support/run_program.ts";

/** All of the input as an octet string. */
export async function inputText(): Promise<string> {
  const pieces = await readAllInput();
  return fromOctets(concat(pieces, pieces.reduce((sum, piece) => sum + piece.length, 0)));
}

if (import.meta.main) {
  const [cdb, tmp] = Deno.args;
  if (cdb === undefined || tmp === undefined) {
    await say("setforward: usage: setforward data.cdb data.tmp");
    Deno.exit(100);
  }
  await runTool("setforward", async () => makeTable(parseTable(await inputText()), cdb, tmp));
}
