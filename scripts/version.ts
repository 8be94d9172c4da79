/**
 * `dqmail version [--json]`: what this is, and what it runs on.
 * @module
 */
import manifest from "../deno.json" with { type: "json" };
import { readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";

/** What this command does with the words behind its name. */
// deno-lint-ignore require-await -- every command answers a promise
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(commandOf("version"), argv);
  if (args === undefined) return;
  const versions = { dqmail: manifest.version, ...Deno.version, system: `${Deno.build.os} ${Deno.build.arch}` };
  if (args["json"] === true) return console.log(JSON.stringify(versions));
  console.log(`dqmail ${versions.dqmail} (deno ${versions.deno}, V8 ${versions.v8}, ${versions.system})`);
}

if (import.meta.main) await main(Deno.args);
