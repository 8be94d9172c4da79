/**
 * printforward: prints fastforward's table on its input in the form setforward reads. Exit codes: 0, 111.
 * @module
 */
import { formatTable, readTable } from "../lib/aliases/table.ts";
import { toOctets } from "../lib/octets.ts";
import { runTool } from "../lib/process/tool.ts";
import { writeOctets } from "./support/input.ts";
import { inputText } from "./setforward.ts";

if (import.meta.main) {
  await runTool("printforward", async () => {
    const table = readTable(toOctets(await inputText()));
    if (!table.ok) throw new Error(table.error);
    await writeOctets(Deno.stdout, formatTable(table.value));
  });
}
