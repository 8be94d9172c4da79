/**
 * `deno task config check|show|get|set`: the control files of a home.
 * @module
 */
import { existsSync } from "@std/fs";
import { type Home, homeAt } from "../config/home.ts";
import type { ControlFile } from "../config/schema.ts";
import { runTool } from "../components/lib/process/tool.ts";
import { askSupervisor } from "./ask.ts";
import { inWords } from "./cli/called.ts";
import { failUsage, readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { unknownWord } from "./cli/nearest.ts";
import { checkConfig, formatReport } from "./config/check.ts";
import { controlFiles, findControl, readControlValue } from "./config/control_value.ts";
import { setControl } from "./config/set.ts";
import { formatControl, formatValue } from "./config/show.ts";
import { fail } from "./fail.ts";

const command = commandOf("config");

type Args = Readonly<Record<string, unknown>>;

function controlOf(name: string): ControlFile {
  return findControl(name) ?? fail(`${unknownWord(name, controlFiles)}\n"dqmail config show" lists the control files`);
}

function say(json: boolean, value: unknown, text: string): void {
  console.log(json ? JSON.stringify(value, undefined, 2) : text);
}

function check(home: Home, json: boolean): void {
  const report = checkConfig(home);
  say(json, report, formatReport(report));
  if (!report.ok) Deno.exitCode = 1;
}

function show(home: Home, names: readonly string[], args: Args): void {
  const files = names.length === 0 ? controlFiles : names.map(controlOf);
  const values = files.map((file) => readControlValue(home, file)).filter(({ isSet }) => args["set"] !== true || isSet);
  say(args["json"] === true, values, values.map(formatControl).join("\n\n"));
}

function get(home: Home, [name, ...more]: readonly string[], args: Args): void {
  if (name === undefined || more.length > 0) failUsage(command, "get: name one control file");
  const value = readControlValue(home, controlOf(name), { secrets: args["secret"] === true });
  const shown = args["default"] === true ? { ...value, isSet: false } : value;
  if (shown.isSet && value.hidden === true) throw new Error(`control/${name} is not for you to read`);
  say(args["json"] === true, shown, formatValue(shown));
}

/** The new file: a line for each value, or standard input, or none. */
async function contentOf(values: readonly string[], args: Args): Promise<Uint8Array | undefined> {
  const ways = [values.length > 0, args["stdin"] === true, args["default"] === true].filter(Boolean).length;
  if (ways !== 1) failUsage(command, "set: give the values, or --stdin, or --default");
  if (args["default"] === true) return undefined;
  if (args["stdin"] === true) return new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer());
  return new TextEncoder().encode(values.map((value) => `${value}\n`).join(""));
}

async function set(home: Home, [name, ...values]: readonly string[], args: Args): Promise<void> {
  if (name === undefined) failUsage(command, "set: name a control file");
  const file = controlOf(name);
  const dryRun = args["dry-run"] === true;
  const json = args["json"] === true;
  const changed = setControl(home, { file, octets: await contentOf(values, args), dryRun });
  if (!changed.ok) fail(`nothing was written:\n${changed.error.join("\n")}`);
  const inForce = !dryRun && args["reload"] === true ? await reload(home) : undefined;
  if (json) return say(true, { file, ...changed.value, dryRun, ...(inForce === undefined ? {} : { inForce }) }, "");
  const { path, old } = changed.value;
  if (dryRun) return console.log(`control/${file} may be so; nothing was written`);
  const kept = old === undefined ? "" : `; what was there before is ${old}`;
  const next = inForce === true ? "; it is in force" : '; "dqmail reload" brings it into force';
  console.log(
    inWords(`wrote ${path}${kept}${next}`.replace(/^wrote/, args["default"] === true ? "took away" : "wrote")),
  );
}

/** Answers whether a running system has read it; where none runs, the next start will. */
async function reload(home: Home): Promise<boolean> {
  const reply = await askSupervisor(home, { op: "reload" }).catch(() => undefined);
  const defects = (reply?.["defects"] ?? []) as readonly string[];
  if (defects.length > 0) fail(`written, but not reloaded, for there are other defects:\n${defects.join("\n")}`);
  return reply !== undefined;
}

/** What this task does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(command, argv);
  if (args === undefined) return;
  const [word, ...names] = args._ as [string, ...string[]];
  const home = homeAt(String(args["home"] ?? "var"));
  if (!existsSync(home.control(""))) {
    fail(`there is no dqmail home in ${home.dir}; "dqmail start --home ${home.dir}" makes one`);
  }
  await runTool(`config ${word}`, async () => {
    switch (word) {
      case "check":
        return check(home, args["json"] === true);
      case "show":
        return show(home, names, args);
      case "get":
        return get(home, names, args);
      case "set":
        return await set(home, names, args);
    }
  });
}

if (import.meta.main) await main(Deno.args);
