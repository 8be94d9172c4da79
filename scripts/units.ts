/**
 * `deno task units --out DIR [--prefix DIR]`: one systemd unit for each component, and what holds them together.
 * @module
 */
import { existsSync } from "@std/fs";
import { join } from "@std/path";
import { homeAt, homeDefect } from "../config/home.ts";
import type { Config } from "../components/lib/permissions/grant.ts";
import { readConfig } from "../components/supervisor/config.ts";
import { readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { fail } from "./fail.ts";
import { defaultConfig } from "./home/default_config.ts";
import { formatSysusers } from "./units/accounts.ts";
import { runtimeOf } from "./units/runtime.ts";
import { makeUnits } from "./units/unit.ts";

/** Read by systemd-sysusers, not by systemd, which passes over what has another ending. */
const accountsFile = "dqmail.sysusers";

function configOf(prefix: string): Config {
  const home = homeAt(prefix);
  if (!existsSync(home.control("me"))) return defaultConfig(home, 0);
  const config = readConfig(homeAt(prefix), 0);
  return "controls" in config
    ? { ...config, home: homeAt(prefix, { queueSplit: config.controls.queuesplit }) }
    : fail(config.join("\n"));
}

/** Writes a file as a whole, where it is another than before. */
function write(path: string, text: string): void {
  const fresh = `${path}.new`;
  Deno.writeTextFileSync(fresh, text, { mode: 0o644 });
  Deno.renameSync(fresh, path);
}

/** What this task does with the words behind its name. */
// deno-lint-ignore require-await -- every task answers a promise
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(commandOf("units"), argv);
  if (args === undefined) return;
  if (args["out"] === undefined) fail("dqmail units: --out DIR is missing: the folder that is written");
  const prefix = String(args["prefix"] ?? "/var/qmail");
  if (!prefix.startsWith("/")) fail(`--prefix: expected an absolute path, got ${prefix}`);
  const config = configOf(prefix);
  const defect = homeDefect(config.home);
  if (defect !== undefined) fail(defect);
  const out = String(args["out"]);
  const units = makeUnits({
    config,
    // Where nothing is staged yet, bundles will be.
    runtime: runtimeOf(config.home, { bundled: !existsSync(join(config.home.libexec("code"), "deno.json")) }),
  });
  try {
    Deno.mkdirSync(out, { recursive: true });
    for (const [name, text] of units) write(join(out, name), text);
    write(join(out, accountsFile), formatSysusers(config.home.dir));
  } catch (error) {
    console.error(`cannot write into ${out}: ${error instanceof Error ? error.message : error}`);
    Deno.exit(111);
  }
  console.log(`${units.size} units are in ${out}.
They run what lies below ${config.home.libexec()}, where an install or a start by root puts it. Then:
  systemd-sysusers ${join(out, accountsFile)}   makes the accounts that are not there
  systemctl daemon-reload
  systemctl enable --now dqmail.target
  systemctl reload dqmail-grants     has the control files read again
  systemctl stop dqmail.target       stops all in order
Made for control files as they are now: after a change of control/listeners, of addresses of others or of how many
processes there are, make them again.`);
}

if (import.meta.main) await main(Deno.args);
