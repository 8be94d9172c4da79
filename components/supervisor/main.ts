/** supervisor: see README.md. @module */
import { parseArgs } from "@std/cli/parse-args";
import { stampLog } from "../lib/log/log.ts";
import { CannotStart, runComponent } from "../lib/process/component.ts";
import { homeOptions, parseHomeArgs } from "../lib/process/home_args.ts";
import { print, runTool } from "../lib/process/tool.ts";
import { isConfig, readOwnConfig } from "./config.ts";
import { run } from "./run.ts";
import { parseRuntime } from "./settings.ts";
import { answer } from "./systemd/answer.ts";
import { formatChanges, refreshGrants } from "./systemd/refresh.ts";

/** Where systemd starts the components, with one of its units: `write` the grants, or `answer` for a supervisor. */
async function underSystemd(part: string, args: Readonly<Record<string, unknown>>): Promise<void> {
  if (part === "answer") return await runComponent("supervisor", answer);
  await runTool("supervisor", async () => {
    const home = parseHomeArgs(args);
    const config = readOwnConfig(home, 0);
    if (!isConfig(config)) throw new CannotStart(config.join("; "));
    await print([formatChanges(refreshGrants(home, config, parseRuntime(args)))]);
  });
}

if (import.meta.main) {
  const args = parseArgs(Deno.args, {
    string: [...homeOptions, "port-offset", "deno", "deno-dir", "code", "binaries", "audit", "systemd"],
    boolean: ["supervised", "change-user", "json", "bundled"],
  });
  if (args["systemd"] !== undefined) await underSystemd(String(args["systemd"]), args);
  else {
    // The journal has times of its own.
    stampLog();
    await runComponent("supervisor", (start) => run(start, parseRuntime(args)));
  }
}
