/**
 * tcprules CDB TMP: makes a cdb file of the rules on its input, for any tcpserver and for control/tcp.smtp.cdb. Exit
 * codes: 0, 100 called wrongly or a line that is no rule, 111; then nothing has changed.
 * @module
 */
import { runTool } from "../lib/process/tool.ts";
import { parseRules } from "../lib/tcprules/parse_rules.ts";
import { ruleRecords } from "../lib/tcprules/rules_cdb.ts";
import { inputText } from "./setforward.ts";
import { makeCdb } from "./support/make_table.ts";
import { say } from "./support/run_program.ts";

if (import.meta.main) {
  const [cdb, tmp] = Deno.args;
  if (cdb === undefined || tmp === undefined) {
    await say("tcprules: usage: tcprules rules.cdb rules.tmp");
    Deno.exit(100);
  }
  await runTool("tcprules", async () => {
    const rules = parseRules(await inputText());
    if (!rules.ok) {
      await say(`tcprules: fatal: unable to parse this line: ${rules.error}`);
      Deno.exit(100);
    }
    makeCdb(ruleRecords(rules.value), cdb, tmp);
  });
}
