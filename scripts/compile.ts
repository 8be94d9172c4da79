/**
 * `deno task compile --out DIR [--home DIR]`: one binary for each component and tool, with its grant for that home baked
 * in. The base of a binary is downloaded by deno, or is the file that DENORT_BIN names.
 * @module
 */
import { ensureDirSync, existsSync } from "@std/fs";
import { join } from "@std/path";
import { homeAt } from "../config/home.ts";
import { readConfig } from "../components/supervisor/config.ts";
import { binariesFile, formatBinaries } from "../components/supervisor/binaries.ts";
import { quote } from "../components/supervisor/launcher.ts";
import type { Config } from "../components/lib/permissions/grant.ts";
import { failUsage, readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { fail } from "./fail.ts";
import { defaultConfig } from "./home/default_config.ts";
import { checkout } from "./home/checkout.ts";
import { bakedInto, binariesFor, type Binary, compileWords } from "./ship/binaries.ts";
import { bundlePrograms } from "./ship/deno_bundle.ts";
import { outFolder } from "./ship/out_folder.ts";
import { runDeno } from "./ship/run_deno.ts";

function configOf(dir: string, portOffset: number): Config {
  const home = homeAt(dir);
  if (!existsSync(home.control("me"))) return defaultConfig(home, portOffset);
  const config = readConfig(home, portOffset);
  return "controls" in config ? config : fail(config.join("\n"));
}

/** Those that were named, all where none was; ends with 100 for a name that there is no binary of. */
function chosen(all: readonly Binary[], names: string | undefined): readonly Binary[] {
  if (names === undefined) return all;
  const wanted = names.split(",");
  const strange = wanted.find((name) => !all.some((binary) => binary.name === name));
  if (strange !== undefined) failUsage(commandOf("compile"), `there is no binary of ${strange} for this home`);
  return all.filter(({ name }) => wanted.includes(name));
}

/** Makes them one after the other: each takes a few hundred MiB of memory. */
async function compileAll(binaries: readonly Binary[], config: Config, out: string): Promise<void> {
  const bundles = Deno.makeTempDirSync({ prefix: "dqmail-" });
  try {
    await bundlePrograms(checkout, binaries.map(({ main }) => `components/${main}`), bundles);
    ensureDirSync(out);
    for (const binary of binaries) await runDeno(compileWords(binary, config, bundles, out), checkout);
    Deno.writeTextFileSync(join(out, binariesFile), formatBinaries(bakedInto(binaries, config)));
  } finally {
    Deno.removeSync(bundles, { recursive: true });
  }
}

/** What this task does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(commandOf("compile"), argv);
  if (args === undefined) return;
  const out = outFolder("compile", args);
  const config = configOf(String(args["home"] ?? "/var/qmail"), Number(args["port-offset"] ?? 0));
  const binaries = chosen(binariesFor(config), args["only"] === undefined ? undefined : String(args["only"]));
  const isDry = args["dry-run"] === true;
  const commands = binaries.map((binary) => ["deno", ...compileWords(binary, config, join(out, "bundles"), out)]);
  if (!isDry) await compileAll(binaries, config, out);
  if (args["json"] === true) return console.log(JSON.stringify({ out, made: !isDry, commands }, undefined, 2));
  if (isDry) return console.log(commands.map((command) => command.map(quote).join(" ")).join("\n"));
  const { dir } = config.home;
  console.log(`${binaries.length} binaries are in ${out}; "dqmail start --home ${dir} --binaries ${out}" runs them`);
}

if (import.meta.main) {
  await main(Deno.args).catch((error: Error) => {
    console.error(`deno task compile: ${error.message}`);
    Deno.exit(111);
  });
}
