/**
 * `deno task reload [--home DIR]`: has the control files read again; components whose grant changes with them restart.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { homeAt } from "../config/home.ts";
import { askSupervisor } from "./ask.ts";

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, { string: ["home"], boolean: ["help"] });
  if (args["help"] === true) return console.log("Usage: deno task reload [--home DIR]");
  const home = homeAt(String(args["home"] ?? "var"));
  const reply = await askSupervisor(home, { op: "reload" }).catch(() => undefined);
  if (reply === undefined) {
    console.error(`no dqmail of yours runs in ${home.dir}`);
    Deno.exit(1);
  }
  const defects = reply["defects"] as readonly string[];
  if (defects.length === 0) return console.log("reloaded");
  console.error(`not reloaded, everything goes on as before:\n${defects.join("\n")}`);
  Deno.exit(100);
}

if (import.meta.main) await main();
