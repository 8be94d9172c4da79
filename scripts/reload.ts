/**
 * `deno task reload [--home DIR] [--json]`: has the control files read again; components whose grant changes with them
 * restart.
 * @module
 */
import { homeAt } from "../config/home.ts";
import { askSupervisor } from "./ask.ts";
import { readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";

/** What this task does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(commandOf("reload"), argv);
  if (args === undefined) return;
  const home = homeAt(String(args["home"] ?? "var"));
  const reply = await askSupervisor(home, { op: "reload" }).catch(() => undefined);
  if (reply === undefined) {
    console.error(`no dqmail of yours runs in ${home.dir}`);
    Deno.exit(1);
  }
  const defects = reply["defects"] as readonly string[];
  const reloaded = defects.length === 0;
  if (args["json"] === true) console.log(JSON.stringify({ reloaded, defects }));
  else if (reloaded) console.log("reloaded");
  else console.error(`not reloaded, everything goes on as before:\n${defects.join("\n")}`);
  if (!reloaded) Deno.exit(100);
}

if (import.meta.main) await main(Deno.args);
