/** qmail-pop3spawn: see README.md. @module */
import { parseArgs } from "@std/cli/parse-args";
import { runComponent } from "../lib/process/component.ts";
import { run } from "./run.ts";

if (import.meta.main) {
  const args = parseArgs(Deno.args, {
    boolean: ["change-user", "supervised", "json"],
    string: ["home", "port-offset"],
  });
  await runComponent("qmail-pop3spawn", (start) => run(start, args["change-user"] === true));
}
