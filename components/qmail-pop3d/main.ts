/** qmail-pop3d: see README.md. @module */
import { parseArgs } from "@std/cli/parse-args";
import { describeError, flushLog, log } from "../lib/log/log.ts";
import { runComponent } from "../lib/process/component.ts";
import { run } from "./run.ts";
import { runAsOwner } from "./run_as_owner.ts";

if (import.meta.main) {
  const args = parseArgs(Deno.args, { boolean: ["owner"] });
  if (args["owner"] !== true) await runComponent("qmail-pop3d", run);
  try {
    await runAsOwner();
    flushLog();
    Deno.exit(0);
  } catch (error) {
    log(`alert: qmail-pop3d: ${describeError(error)}`);
    flushLog();
    Deno.exit(111);
  }
}
