/**
 * `deno task install --prefix DIR`: dqmail where qmail lives on a machine, with its users, groups, folders, control files
 * and programs; a qmail that is there is taken over, and given back with --rollback.
 * @module
 */
import { isAbsolute } from "@std/path";
import { homeAt, homeDefect } from "../config/home.ts";
import { print, runTool } from "../components/lib/process/tool.ts";
import { inWords } from "./cli/called.ts";
import { failUsage, readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { fail } from "./fail.ts";
import { stage } from "./home/stage.ts";
import { applyPlan } from "./install/apply.ts";
import { readManifest } from "./install/manifest.ts";
import { asMachineSays, type Place, placeAt } from "./install/place.ts";
import { type Plan, planInstall } from "./install/plan.ts";
import { formatReport, reportOf } from "./install/report.ts";
import { rollBack } from "./install/rollback.ts";
import { readSample, type Sample, sampleDefect, samples } from "./install/samples.ts";
import { type Survey, survey } from "./install/survey.ts";
import { whoRuns } from "./install/who_runs.ts";

const command = commandOf("install");

type Args = Readonly<Record<string, unknown>>;

function text(args: Args, name: string): string | undefined {
  return args[name] === undefined ? undefined : String(args[name]);
}

function absolute(args: Args, name: string): string | undefined {
  const path = text(args, name);
  if (path !== undefined && !isAbsolute(path)) {
    fail(`--${name}: expected an absolute path, got ${JSON.stringify(path)}`);
  }
  return path;
}

function sampleOf(args: Args, { found, hostname }: Survey): ReadonlyMap<string, string> {
  const word = text(args, "sample") ?? "single";
  const sample = samples.find((one): one is Sample => one === word);
  if (sample === undefined) fail(`--sample: expected ${samples.join(", ")}, got ${JSON.stringify(word)}`);
  if (found !== "nothing") return new Map();
  const values = {
    me: (text(args, "me") ?? hostname).toLowerCase(),
    domain: text(args, "domain")?.toLowerCase(),
    relay: text(args, "relay"),
    qmqp: text(args, "qmqp"),
  };
  const defect = sampleDefect(sample, values);
  if (defect !== undefined) fail(defect);
  return readSample(sample, values);
}

/** What is printed once everything is in place. */
function next(place: Place, defects: readonly string[]): string {
  const prefix = asMachineSays(place, place.prefix);
  if (defects.length > 0) return `\nBefore it can be started:\n${defects.map((line) => `  ${line}\n`).join("")}`;
  const words = `Start it with "dqmail start --home ${prefix}", or make units for systemd: "dqmail units".`;
  return `\nInstalled. ${inWords(words)}\n`;
}

/** Looks at what is there. Throws with what to do where it is not the caller's to read. */
async function look(place: Place): Promise<Survey> {
  try {
    return await survey(place);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    throw new Error(`this is for root, or for the owner of ${asMachineSays(place, place.prefix)}: ${error.message}`);
  }
}

async function install(place: Place, args: Args, json: boolean): Promise<void> {
  const found = await look(place);
  if (found.manifest?.state === "rolling back") fail("a rollback was interrupted: complete it with --rollback first");
  const plan = planInstall(found, { sample: sampleOf(args, found), sendmail: args["sendmail"] === true });
  const report = reportOf(found, plan);
  if (!json) await print([formatReport(report)]);
  const code = exitCodeOf(plan);
  if (args["dry-run"] === true || code !== 0) {
    if (json) await print([`${JSON.stringify({ ...report, done: false }, undefined, 2)}\n`]);
    Deno.exitCode = code;
    return;
  }
  const staged = absolute(args, "staged");
  const defects = await applyPlan(found, plan, {
    stage: (home) => stage(home, { dir: staged }),
    say: json ? () => {} : (line) => console.log(line),
  });
  await print([json ? `${JSON.stringify({ ...report, done: true, defects }, undefined, 2)}\n` : next(place, defects)]);
  if (defects.length > 0) Deno.exitCode = 1;
}

function exitCodeOf({ refusals, running }: Plan): number {
  if (refusals.length > 0) return 100;
  return running.length > 0 ? 111 : 0;
}

async function giveBack(place: Place, args: Args, json: boolean): Promise<void> {
  const manifest = readManifest(place);
  if (manifest === undefined || manifest.state === "rolled back") {
    fail(`${asMachineSays(place, place.prefix)}: there is no install to take back`);
  }
  const running = await whoRuns(place);
  if (running.length > 0) throw new Error(`stop it first: ${running.join(", ")}`);
  if (args["dry-run"] === true) {
    const paths = manifest.entries.flatMap((entry) =>
      entry.kind === "path" ? `${entry.path}: ${entry.before.kind}` : []
    );
    return await print([json ? `${JSON.stringify(manifest, undefined, 2)}\n` : `${paths.join("\n")}\n`]);
  }
  const done = await rollBack(place, manifest, { say: json ? () => {} : (line) => console.log(line) });
  const words = [
    `Given back. ${done.waiting} messages wait in the queue.`,
    ...done.stays.map((path) => `It stays, for there is something in it: ${path}`),
  ];
  await print([json ? `${JSON.stringify(done, undefined, 2)}\n` : `${words.join("\n")}\n`]);
}

/** What this task does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(command, argv);
  if (args === undefined) return;
  const prefix = absolute(args, "prefix");
  if (prefix === undefined) failUsage(command, "--prefix is missing: where is it to live?");
  const place = placeAt(prefix, absolute(args, "root"));
  const defect = homeDefect(homeAt(place.prefix));
  if (defect !== undefined) fail(defect);
  const json = args["json"] === true;
  await runTool("install", () => args["rollback"] === true ? giveBack(place, args, json) : install(place, args, json));
}

if (import.meta.main) await main(Deno.args);
