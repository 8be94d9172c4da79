/**
 * `dqmail COMMAND`, also `deno task dqmail COMMAND`: all commands under one name. Each is a script of its own beside this
 * one, which is read only when it is called, and does in this process what its task does.
 *
 * Which home a command works on: `--home`, else the variable DQMAIL_HOME, else `var`. Exit codes are the command's; 100
 * where there is no such command, 111 where it failed in a way nobody foresaw.
 * @module
 */
import { describeError } from "../components/lib/log/log.ts";
import { calledAs } from "./cli/called.ts";
import { parseCall } from "./cli/call.ts";
import { formatOverview } from "./cli/overview.ts";
import { fail } from "./fail.ts";

/** Of a checkout these are sources, in the folder of bundles they are bundles. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));

interface Script {
  main(args: readonly string[]): Promise<void>;
}

/** The script that does what a command says; undefined where it is not among those that were shipped. */
async function scriptOf(name: string): Promise<Script | undefined> {
  const url = new URL(`./${name}${extension}`, import.meta.url);
  try {
    return await import(url.href) as Script;
  } catch (error) {
    const isAbsent = await Deno.stat(url).then(() => false, () => true);
    if (isAbsent) return undefined;
    throw error;
  }
}

/** Does what the words behind `dqmail` say. */
export async function main(argv: readonly string[]): Promise<void> {
  calledAs("dqmail");
  const call = parseCall(argv, Deno.env.get("DQMAIL_HOME"));
  if (!call.ok) fail(`dqmail: ${call.error}\n\n"dqmail --help" lists the commands`);
  if (call.value === "overview") return console.log(formatOverview());
  const { command, args } = call.value;
  try {
    const script = await scriptOf(command);
    if (script === undefined) fail(`dqmail ${command}: not among what was installed here; it works in a checkout`);
    await script.main(args);
  } catch (error) {
    console.error(`dqmail ${command}: ${describeError(error)}`);
    Deno.exit(111);
  }
}

if (import.meta.main) await main(Deno.args);
