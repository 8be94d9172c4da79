/**
 * `deno task grants [--home DIR] [--port-offset N] [--json]`: what every component may touch, from the manifests and the
 * control files of the home (or the embedded default's, where there is none).
 * @module
 */
import { existsSync } from "@std/fs";
import { homeAt } from "../config/home.ts";
import { manifests } from "../config/manifests.ts";
import { readConfig } from "../components/supervisor/config.ts";
import { type Config, flagsOf, instancesOf, rightsOf } from "../components/lib/permissions/grant.ts";
import { breaches } from "../components/lib/permissions/rule.ts";
import { readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { defaultConfig } from "./home/default_config.ts";

function configOf(dir: string, portOffset: number): Config {
  const home = homeAt(dir);
  if (!existsSync(home.control("me"))) return defaultConfig(home, portOffset);
  const config = readConfig(home, portOffset);
  if ("controls" in config) return config;
  console.error(config.join("\n"));
  Deno.exit(100);
}

/** What this task does with the words behind its name. */
// deno-lint-ignore require-await -- every task answers a promise
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(commandOf("grants"), argv);
  if (args === undefined) return;
  const config = configOf(String(args["home"] ?? "var"), Number(args["port-offset"] ?? 0));
  const rows = manifests.map((manifest) => ({ manifest, grant: manifest.permissions(config) }));
  if (args["json"] === true) {
    const json = rows.map(({ manifest: { name, job, account, startedBy }, grant }) => ({
      name,
      job,
      account,
      startedBy,
      rights: rightsOf(grant, config.home),
      flags: flagsOf(grant, config.home),
    }));
    console.log(JSON.stringify(json, undefined, 2));
  } else {
    for (const { manifest, grant } of rows) {
      const count = instancesOf(manifest, config);
      const how = count === 1
        ? ""
        : count === 0
        ? `; not needed here, only when ${manifest.neededWords}`
        : `; ${count} times`;
      console.log(`${manifest.name}: ${manifest.job}; as ${manifest.account} when root starts it${how}`);
      for (const flag of flagsOf(grant, config.home)) console.log(`    ${flag.replaceAll(config.home.dir, "~")}`);
      if (grant.broker !== undefined) {
        console.log("    no flags; the supervisor decides, and allows");
        for (const [kind, entries] of Object.entries(rightsOf(grant, config.home))) {
          for (const entry of entries) console.log(`      ${kind} ${entry.replaceAll(config.home.dir, "~")}`);
        }
      }
      for (const [word, grantOf] of Object.entries(manifest.forHome ?? {})) {
        console.log(`  --${word} HOME: for the home of an account, as that account`);
        for (const flag of flagsOf(grantOf(config, "HOME"), config.home)) {
          console.log(`    ${flag.replaceAll(config.home.dir, "~")}`);
        }
      }
    }
  }
  const found = breaches(manifests, config);
  if (found.length === 0) return;
  console.error(`the grant rule is broken:\n${found.join("\n")}`);
  Deno.exit(1);
}

if (import.meta.main) await main(Deno.args);
