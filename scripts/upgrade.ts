/**
 * `deno task upgrade [--home DIR] [--json]`: has this checkout's code take the place of the one that runs, component by
 * component, while mail goes on: a port is never closed. What fails is rolled back.
 * @module
 */
import { existsSync } from "@std/fs";
import type { Home } from "../config/home.ts";
import { describeError } from "../components/lib/log/log.ts";
import type { RawHead } from "../components/lib/wire/frame.ts";
import { parseSupervisorStatus } from "../components/lib/wire/status_protocol.ts";
import { handOverProtocol } from "../components/supervisor/predecessor.ts";
import { isConfig, readConfig } from "../components/supervisor/config.ts";
import { askStatus, askSupervisor } from "./ask.ts";
import { inWords } from "./cli/called.ts";
import { readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { showProgress, whileShown } from "./cli/progress.ts";
import { fail } from "./fail.ts";
import { readOwnGrantText, writeOwnGrant, writeOwnGrantText } from "./home/own_grant.ts";
import { prepareFolders, prepareLaunchers, prepareSocketFolders } from "./home/prepare.ts";
import { readHome } from "./home/queue_split.ts";
import { settleHome, stage } from "./home/stage.ts";
import { prepareTools } from "./home/tools.ts";
import { removeOthers, versionDir } from "./home/versions.ts";

const lookMs = 200;

/** What the one that runs says of itself; undefined: it knows no such question, so it is another version. */
async function askAbout(home: Home): Promise<RawHead | undefined> {
  const runs = await askStatus(home, "supervisor-status", parseSupervisorStatus).catch(() => undefined);
  if (runs === undefined) {
    console.error(inWords(`no dqmail runs in ${home.dir}; "dqmail start --home ${home.dir}" starts this version`));
    Deno.exit(1);
  }
  const about = await askSupervisor(home, { op: "about" }).catch(() => undefined);
  return about?.["handOver"] === handOverProtocol ? about : undefined;
}

/** Shows how far the successor is, until `asked` is settled. */
async function untilHandedOver(home: Home, asked: Promise<RawHead>): Promise<readonly string[]> {
  const timer = setInterval(() => {
    void askStatus(home, "supervisor-status", parseSupervisorStatus).then(
      ({ components }) => {
        const here = components.filter(({ state }) => state === "running").length;
        showProgress(`handing over: ${here} of ${components.length} processes are still of the old version`);
      },
      () => {},
    );
  }, lookMs);
  try {
    return (await asked)["defects"] as readonly string[];
  } catch (error) {
    return [describeError(error)];
  } finally {
    clearInterval(timer);
    showProgress("");
  }
}

/** What this task does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(commandOf("upgrade"), argv);
  if (args === undefined) return;
  const dir = String(args["home"] ?? "var");
  if (!existsSync(dir)) fail(`there is no home ${dir}`);
  const read = readHome(settleHome(dir).dir);
  if (!read.ok) fail(read.error);
  const home = read.value;
  const about = await askAbout(home);
  if (about === undefined) {
    fail(
      inWords(
        `the supervisor that runs in ${home.dir} cannot hand over to this version (it is another user's, systemd's, or of a version that hands over in another way): "dqmail stop --home ${home.dir}", then "dqmail start" with this version`,
      ),
    );
  }
  const offset = Number(about["portOffset"]);
  const config = readConfig(home, offset);
  if (!isConfig(config)) fail(config.join("\n"));
  prepareFolders(home);
  prepareSocketFolders(home, config.controls.listeners);
  const version = versionDir(home, Date.now());
  const audit = typeof about["audit"] === "string" ? about["audit"] : undefined;
  const options = { dir: version, sources: args["sources"] === true };
  const runtime = { ...await whileShown("making what the processes run from", () => stage(home, options)), audit };
  prepareLaunchers(home);
  const before = readOwnGrantText(config);
  writeOwnGrant(config, runtime, offset);
  const defects = await untilHandedOver(home, askSupervisor(home, { op: "upgrade", protocol: handOverProtocol }));
  if (defects.length > 0) {
    writeOwnGrantText(config, before);
    Deno.removeSync(version, { recursive: true });
  } else {
    prepareTools(home, runtime);
    removeOthers(home, version);
  }
  if (args["json"] === true) {
    console.log(JSON.stringify({ upgraded: defects.length === 0, defects, code: runtime.code }));
  } else if (defects.length === 0) console.log(`upgraded: runs from ${runtime.code}`);
  else console.error(`not upgraded, everything goes on as before: ${defects.join("; ")}`);
  if (defects.length > 0) Deno.exit(111);
}

if (import.meta.main) await main(Deno.args);
