/**
 * What `deno task start` does before there is a supervisor, and what it says when that is ready: makes the home where it
 * is missing, writes the launchers, tells start.ts to go on, and ends after the welcome. A process of its own: all that it
 * loads is gone when the system runs.
 * @module
 */
import { ensureDirSync, existsSync } from "@std/fs";
import { isAbsolute, join } from "@std/path";
import { homeDefect } from "../config/home.ts";
import { readConfig } from "../components/supervisor/config.ts";
import { binariesFile } from "../components/supervisor/binaries.ts";
import { parseSupervisorStatus } from "../components/lib/wire/status_protocol.ts";
import { askStatus, askSupervisor } from "./ask.ts";
import { readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { calledAs, type Caller } from "./cli/called.ts";
import { whileShown } from "./cli/progress.ts";
import { fail } from "./fail.ts";
import { prepareAdminToken } from "./home/admin_token.ts";
import { prepareCertificate } from "./home/certificate.ts";
import { writeOwnGrant } from "./home/own_grant.ts";
import { welcome } from "./home/welcome.ts";
import {
  keepSystemUsers,
  prepareControls,
  prepareFolders,
  prepareLaunchers,
  prepareMailboxes,
  prepareSocketFolders,
} from "./home/prepare.ts";
import { prepareSrsSecret } from "./home/srs_secret.ts";
import { settleQueueSplit } from "./home/queue_split.ts";
import { reachable, settleHome, stage } from "./home/stage.ts";
import { removeStaged } from "./home/versions.ts";
import { prepareTools } from "./home/tools.ts";
import { unfinishedInstall } from "./install/unfinished.ts";
import { manifest } from "../components/supervisor/permissions.ts";
import type { Prepared } from "./home/preparation.ts";

/** The folder that `deno task compile` made, by its real path. */
function findBinaries(dir: string): string {
  if (!existsSync(join(dir, binariesFile))) {
    fail(`--binaries: expected a folder that "dqmail compile" made, got ${dir}`);
  }
  const real = Deno.realPathSync(dir);
  if (Deno.uid() === 0 && !reachable(real)) {
    fail(`--binaries: only root may enter ${real}, and they do not run as root`);
  }
  return real;
}

/** Every component records there, each under its own user. */
function prepareAuditDir(dir: string): void {
  if (!isAbsolute(dir)) fail(`--audit: expected an absolute path, got ${dir}`);
  ensureDirSync(dir);
  if (Deno.uid() === 0) Deno.chmodSync(dir, 0o777);
}

/** With the words behind the command's name. */
async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(commandOf("start"), argv);
  if (args === undefined) return;
  const offset = Number(args["port-offset"] ?? 0);
  if (!Number.isSafeInteger(offset) || offset < 0 || offset > 60_000) {
    fail(`--port-offset: expected a whole number up to 60000, got ${args["port-offset"]}`);
  }

  const place = settleHome(String(args["home"] ?? "var"));
  const defect = homeDefect(place);
  if (defect !== undefined) fail(defect);
  const unfinished = unfinishedInstall(place);
  if (unfinished !== undefined) fail(unfinished);
  const running = await askSupervisor(place, { op: "status" }).catch(() => undefined);
  if (running !== undefined) fail(`${place.dir} is in use: its supervisor has process id ${running["pid"]}`);
  const settled = settleQueueSplit(place.dir, console.log);
  if (!settled.ok) fail(settled.error);
  const home = settled.value;
  keepSystemUsers(home, console.log);
  prepareFolders(home);
  await prepareCertificate(home);
  prepareControls(home);
  const config = readConfig(home, offset);
  if (!("controls" in config)) fail(config.join("\n"));
  prepareSocketFolders(home, config.controls.listeners);
  prepareMailboxes(home, config.controls.me);
  prepareSrsSecret(home, config.controls);
  const adminToken = prepareAdminToken(home, config.controls);
  if (args["audit"] !== undefined) prepareAuditDir(String(args["audit"]));
  const staged = args["staged"] === undefined ? undefined : String(args["staged"]);
  if (staged !== undefined && !isAbsolute(staged)) fail(`--staged: expected an absolute path, got ${staged}`);
  const audit = args["audit"] === undefined ? undefined : String(args["audit"]);
  const options = { dir: staged, sources: args["sources"] === true };
  const runtime = { ...await whileShown("making what the processes run from", () => stage(home, options)), audit };

  removeStaged(home);
  const binaries = args["binaries"] === undefined ? undefined : findBinaries(String(args["binaries"]));

  prepareLaunchers(home);
  prepareTools(home, runtime);
  writeOwnGrant(config, runtime, offset, binaries);
  const prepared: Prepared = {
    event: "prepared",
    launcher: home.libexec("launch", manifest.name),
    args: args["json"] === true ? ["--json"] : [],
  };
  console.log(JSON.stringify(prepared));
  // Nothing comes where the supervisor does not get that far.
  if (await Deno.stdin.read(new Uint8Array(1)) === null) return;
  // It may have been told to stop meanwhile.
  const status = await askStatus(home, "supervisor", parseSupervisorStatus).catch(() => undefined);
  if (status !== undefined) console.log(welcome(home, config, status, adminToken));
}

if (import.meta.main) {
  const [caller, ...argv] = Deno.args;
  calledAs(caller as Caller);
  await main(argv);
}
