/** qmail-local: see README.md. @module */
import { parseArgs } from "@std/cli/parse-args";
import { flushLog, log } from "../lib/log/log.ts";
import { describeError } from "../lib/log/log.ts";
import { homeOptions, parseHomeArgs } from "../lib/process/home_args.ts";
import { run } from "./run.ts";

if (import.meta.main) {
  try {
    const args = parseArgs(Deno.args, { string: homeOptions, boolean: ["programs"] });
    await run(parseHomeArgs(args), args["programs"] === true);
    flushLog();
    Deno.exit(0);
  } catch (error) {
    log(`alert: qmail-local: ${describeError(error)}`);
    flushLog();
    Deno.exit(111);
  }
}
