/**
 * `deno task start [--home DIR] [--port-offset N]`: makes the home where it is missing, starts the supervisor through its
 * launcher, says what to try, and passes signals on. This is the only program that runs without a grant; it opens no
 * port and ends with the supervisor.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { ensureDirSync } from "@std/fs";
import { isAbsolute } from "@std/path";
import { homeDefect } from "../config/home.ts";
import { readConfig } from "../components/supervisor/run.ts";
import { formatGrant, launchCommand, type Runtime } from "../components/supervisor/launcher.ts";
import { eachLine } from "../components/supervisor/lines.ts";
import { manifest } from "../components/supervisor/permissions.ts";
import type { Config } from "../components/lib/permissions/grant.ts";
import { formatHomeArgs } from "../components/lib/process/home_args.ts";
import { parseSupervisorStatus } from "../components/lib/wire/status_protocol.ts";
import { askStatus, askSupervisor } from "./ask.ts";
import { fail } from "./fail.ts";
import { prepareCertificate } from "./home/certificate.ts";
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
import { settleHome, stage } from "./home/stage.ts";
import { prepareTools } from "./home/tools.ts";

const help = `Usage: deno task start [--home DIR] [--port-offset N] [--json] [--staged DIR] [--audit DIR]

  --home DIR        where everything lies; default var
  --port-offset N   added to every port, so that several can run side by side; default 0
  --json            the log (standard error) is made of JSON objects, one a line
  --staged DIR      deno, packages and code that the processes run from lie there, for several homes to share (absolute
                    path); default libexec in the home
  --audit DIR       record every permission check of every component there (absolute path)

Ctrl-C stops it; "deno task reload" makes it read its control files again.`;

/** The supervisor's own grant is the one it does not write itself. */
function writeOwnGrant(config: Config, runtime: Runtime, offset: number): void {
  const { home } = config;
  const args = [
    ...formatHomeArgs(home),
    "--port-offset",
    String(offset),
    "--deno",
    runtime.deno,
    "--deno-dir",
    runtime.denoDir,
    "--code",
    runtime.code,
  ];
  if (runtime.audit !== undefined) args.push("--audit", runtime.audit);
  if (Deno.uid() === 0) args.push("--change-user");
  const text = formatGrant(launchCommand(manifest.name, manifest.permissions(config), runtime, home, args));
  Deno.writeTextFileSync(home.libexec("grants", manifest.name), text);
}

/** Every component records there, each under its own user. */
function prepareAuditDir(dir: string): void {
  if (!isAbsolute(dir)) fail(`--audit: expected an absolute path, got ${dir}`);
  ensureDirSync(dir);
  if (Deno.uid() === 0) Deno.chmodSync(dir, 0o777);
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["home", "port-offset", "staged", "audit"],
    boolean: ["json", "help"],
    unknown: (arg) => fail(`deno task start: ${arg} is not known\n\n${help}`),
  });
  if (args["help"] === true) return console.log(help);
  const offset = Number(args["port-offset"] ?? 0);
  if (!Number.isSafeInteger(offset) || offset < 0 || offset > 60_000) {
    fail(`--port-offset: expected a whole number up to 60000, got ${args["port-offset"]}`);
  }

  const place = settleHome(String(args["home"] ?? "var"));
  const defect = homeDefect(place);
  if (defect !== undefined) fail(defect);
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
  if (args["audit"] !== undefined) prepareAuditDir(String(args["audit"]));
  const staged = args["staged"] === undefined ? undefined : String(args["staged"]);
  if (staged !== undefined && !isAbsolute(staged)) fail(`--staged: expected an absolute path, got ${staged}`);
  const audit = args["audit"] === undefined ? undefined : String(args["audit"]);
  const runtime = { ...await stage(home, staged), audit };

  prepareLaunchers(home);
  prepareTools(home, runtime);
  writeOwnGrant(config, runtime, offset);
  const supervisor = new Deno.Command(home.libexec("launch", manifest.name), {
    args: ["--supervised", ...(args["json"] === true ? ["--json"] : [])],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
    // Naming root's own ids also drops root's supplementary groups, here and so in everything below.
    ...(Deno.uid() === 0 ? { uid: 0, gid: 0 } : {}),
  }).spawn();
  // Ctrl-C reaches the whole group; only this process acts on it, so that all end once and in order.
  const stop = () => supervisor.kill("SIGTERM");
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, stop);
  Deno.addSignalListener("SIGHUP", () => supervisor.kill("SIGHUP"));
  void eachLine(supervisor.stdout, (line) => {
    if (line.includes(`"event":"ready"`)) {
      void askStatus(home, "supervisor", parseSupervisorStatus).then((status) =>
        console.log(welcome(home, config, status))
      );
    }
  });
  const status = await supervisor.status;
  Deno.exit(status.signal === null ? status.code : 111);
}

if (import.meta.main) await main();
