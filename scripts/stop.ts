/**
 * `deno task stop [--home DIR] [--wait SECONDS] [--json]`: has a supervisor stop all it started, in order, and waits for
 * its end.
 * @module
 */
import { type Home, homeAt } from "../config/home.ts";
import { parseSupervisorStatus } from "../components/lib/wire/status_protocol.ts";
import { askStatus, askSupervisor } from "./ask.ts";
import { inWords } from "./cli/called.ts";
import { failUsage, readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { showProgress } from "./cli/progress.ts";

const command = commandOf("stop");

const defaultWait = "30";
/** Between two looks at whether it is still there. */
const lookMs = 100;

/** A process that has ended, or is only waiting for its parent to hear of it. */
function hasEnded(pid: number): boolean {
  try {
    return /^State:\s+[ZX]/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return true;
  }
}

/** Answers whether the supervisor `pid` has ended within `waitMs`. */
async function ended(home: Home, pid: number, waitMs: number): Promise<boolean> {
  const until = Date.now() + waitMs;
  while (!hasEnded(pid)) {
    const left = until - Date.now();
    if (left <= 0) return false;
    showProgress(`waiting for the end of supervisor ${pid} of ${home.dir}: ${Math.ceil(left / 1000)} s`);
    await new Promise((resolve) => setTimeout(resolve, Math.min(lookMs, left)));
  }
  showProgress("");
  return true;
}

/** What this task does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(command, argv);
  if (args === undefined) return;
  const wait = String(args["wait"] ?? defaultWait);
  if (!/^[0-9]{1,5}$/.test(wait)) failUsage(command, `--wait: expected a whole number of seconds, got ${wait}`);
  const home = homeAt(String(args["home"] ?? "var"));
  const status = await askStatus(home, "supervisor-status", parseSupervisorStatus).catch(() => undefined);
  if (status === undefined) {
    console.error(inWords(`no dqmail runs in ${home.dir}; "dqmail status --home ${home.dir}" says the same`));
    Deno.exit(1);
  }
  const told = await askSupervisor(home, { op: "stop" }).then(() => true, () => false);
  if (!told) {
    console.error(`supervisor ${status.pid} cannot be told: this is for root, and for the user who started it`);
    Deno.exit(111);
  }
  const stopped = await ended(home, status.pid, Number(wait) * 1000);
  showProgress("");
  if (args["json"] === true) console.log(JSON.stringify({ pid: status.pid, stopped }));
  else if (stopped) console.log("stopped");
  if (stopped || wait === "0") return;
  console.error(`supervisor ${status.pid} was told to stop and still runs after ${wait} s`);
  Deno.exit(111);
}

if (import.meta.main) await main(Deno.args);
