/** supervisor: see README.md. @module */
import { parseArgs } from "@std/cli/parse-args";
import { runComponent } from "../lib/process/component.ts";
import { parseRuntime, run } from "./run.ts";

if (import.meta.main) {
  const args = parseArgs(Deno.args, {
    string: ["home", "port-offset", "deno", "deno-dir", "code", "audit"],
    boolean: ["supervised", "change-user"],
  });
  await runComponent("supervisor", (start) => run(start, parseRuntime(args)));
}
