/** supervisor: see README.md. @module */
import { parseArgs } from "@std/cli/parse-args";
import { stampLog } from "../lib/log/log.ts";
import { runComponent } from "../lib/process/component.ts";
import { homeOptions } from "../lib/process/home_args.ts";
import { parseRuntime, run } from "./run.ts";

if (import.meta.main) {
  stampLog();
  const args = parseArgs(Deno.args, {
    string: [...homeOptions, "port-offset", "deno", "deno-dir", "code", "audit"],
    boolean: ["supervised", "change-user", "json"],
  });
  await runComponent("supervisor", (start) => run(start, parseRuntime(args)));
}
