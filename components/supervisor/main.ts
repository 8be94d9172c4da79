/** supervisor: see README.md. @module */
import { parseArgs } from "@std/cli/parse-args";
import { stampLog } from "../lib/log/log.ts";
import { runComponent } from "../lib/process/component.ts";
import { parseRuntime, run } from "./run.ts";

if (import.meta.main) {
  stampLog();
  const args = parseArgs(Deno.args, {
    string: ["home", "port-offset", "deno", "deno-dir", "code", "audit"],
    boolean: ["supervised", "change-user"],
  });
  await runComponent("supervisor", (start) => run(start, parseRuntime(args)));
}
