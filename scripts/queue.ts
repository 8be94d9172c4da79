/**
 * `deno task queue list|stat|check [--home DIR] [--json]`: what lies in a queue, and whether it is whole. Only reads, and
 * may run while everything runs.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { existsSync } from "@std/fs";
import { type Home, homeAt, type SocketName } from "../config/home.ts";
import { print, runTool } from "../components/lib/process/tool.ts";
import type { Finding } from "../components/lib/queue/check.ts";
import { formatQread, formatQstat, JsonListing } from "../components/lib/queue/format_listing.ts";
import { countQueue, readListing } from "../components/lib/queue/listing.ts";
import { checkQueue } from "../components/lib/queue/look.ts";
import { qread } from "../components/tools/qmail-qread.ts";
import { askSupervisor } from "./ask.ts";
import { fail } from "./fail.ts";

const help = `Usage: deno task queue list|stat|check [--home DIR] [--json]

  list    every preprocessed message with its recipients, as qmail-qread shows them
  stat    how many messages there are, and how many are not yet preprocessed (their first attempt runs, or waits)
  check   whether every file is where and what it should be; a line for each that is not, and exit code 1

Reads the queue of the dqmail in DIR (default var), as root or as the user who started it; changes nothing.

  deno task queue list
  deno task queue stat --json
  deno task queue check --home /var/lib/dqmail/home`;

/** Between two looks at what seems wrong: longer than a message needs from one state to the next. */
const pauseMs = 200;

function* jsonTexts(home: Home): Generator<string, void, undefined> {
  const json = new JsonListing();
  yield* qread(readListing(home), (event) => json.push(event));
  yield json.end();
}

async function answers(home: Home, socket: SocketName): Promise<boolean> {
  return await askSupervisor(home, { op: "status" }, socket).then(() => true, () => false);
}

/** Whether a qmail-queue runs: where the supervisor does, one that is away comes back at once. */
async function queueRuns(home: Home): Promise<boolean> {
  return await answers(home, "queue-status") || await answers(home, "supervisor-status");
}

async function check(home: Home, json: boolean): Promise<void> {
  const findings = await checkQueue(home, {
    writing: () => queueRuns(home),
    pause: () => new Promise((resolve) => setTimeout(resolve, pauseMs)),
  });
  await print(json ? [JSON.stringify(findings, undefined, 2), "\n"] : findings.map(formatFinding));
  if (findings.length > 0) Deno.exitCode = 1;
}

/** A name in the queue may hold anything; a line shows it on one line. */
function formatFinding({ kind, path, detail }: Finding): string {
  // deno-lint-ignore no-control-regex
  return `${path.replace(/[\x00-\x1f\x7f-\x9f]/g, "?")}: ${kind}: ${detail}\n`;
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: ["home"],
    boolean: ["json", "help"],
    unknown: (arg) => arg.startsWith("-") ? fail(`deno task queue: ${arg} is not known\n\n${help}`) : true,
  });
  const [command, ...more] = args._;
  if (args["help"] === true || command === undefined) return console.log(help);
  if (more.length > 0) fail(`${more[0]} is not known\n\n${help}`);
  const home = homeAt(String(args["home"] ?? "var"));
  const json = args["json"] === true;
  if (!existsSync(home.queue())) {
    fail(`there is no queue in ${home.dir}; "deno task start --home ${home.dir}" makes one`);
  }
  switch (command) {
    case "list":
      return await runTool("queue list", () => print(json ? jsonTexts(home) : qread(readListing(home), formatQread)));
    case "stat":
      return await runTool(
        "queue stat",
        () => print([json ? `${JSON.stringify(countQueue(home))}\n` : formatQstat(countQueue(home))]),
      );
    case "check":
      return await runTool("queue check", () => check(home, json));
    default:
      fail(`${command} is not known\n\n${help}`);
  }
}

if (import.meta.main) await main();
