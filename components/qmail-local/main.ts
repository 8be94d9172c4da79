/** qmail-local: see README.md. @module */
import { flushLog, log } from "../lib/log/log.ts";
import { describeError } from "../lib/log/log.ts";
import { run } from "./run.ts";

if (import.meta.main) {
  try {
    await run();
    flushLog();
    Deno.exit(0);
  } catch (error) {
    log(`alert: qmail-local: ${describeError(error)}`);
    flushLog();
    Deno.exit(111);
  }
}
