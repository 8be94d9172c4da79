/**
 * newaliases: makes fastforward's table /etc/aliases.cdb of /etc/aliases. Exit codes: 0, 111 nothing has changed.
 * @module
 */
import { parseAliases } from "../lib/aliases/aliases_file.ts";
import { fromOctets } from "../lib/octets.ts";
import { runTool } from "../lib/process/tool.ts";
import { makeTable } from "./support/make_table.ts";

const aliases = "/etc/aliases";

if (import.meta.main) {
  await runTool("newaliases", async () => {
    const text = fromOctets(await Deno.readFile(aliases));
    makeTable(parseAliases(text), `${aliases}.cdb`, `${aliases}.tmp`);
  });
}
