/**
 * `deno task queue COMMAND`: what lies in a queue and whether it is whole, and an operator's word on messages in it. On a
 * running system qmail-send does what is asked for; see queue/ for the commands.
 * @module
 */
import { existsSync } from "@std/fs";
import type { Home } from "../config/home.ts";
import { print, runTool } from "../components/lib/process/tool.ts";
import { formatQread, formatQstat, JsonListing } from "../components/lib/queue/format_listing.ts";
import { countQueue, readListing } from "../components/lib/queue/listing.ts";
import { actions } from "../components/lib/wire/control_protocol.ts";
import { qread } from "../components/tools/qmail-qread.ts";
import { failUsage, readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { fail } from "./fail.ts";
import { readHome } from "./home/queue_split.ts";
import { act } from "./queue/act.ts";
import { check } from "./queue/check.ts";
import { destinations } from "./queue/destinations.ts";
import { drain } from "./queue/drain.ts";
import { parseDestinations, pause } from "./queue/pause.ts";
import { parseWanted, type Wanted } from "./queue/select.ts";
import { show } from "./queue/show.ts";

const command = commandOf("queue");

function* jsonTexts(home: Home): Generator<string, void, undefined> {
  const json = new JsonListing();
  yield* qread(readListing(home), (event) => json.push(event));
  yield json.end();
}

function wantedOf(word: string, args: Readonly<Record<string, unknown>>, more: readonly string[]): Wanted {
  const wanted = parseWanted(more, args);
  if (!wanted.ok) failUsage(command, `${word}: ${wanted.error}`);
  return wanted.value;
}

async function run(home: Home, word: string, args: Readonly<Record<string, unknown>>, more: readonly string[]) {
  const json = args["json"] === true;
  switch (word) {
    case "list":
      return await print(json ? jsonTexts(home) : qread(readListing(home), formatQread));
    case "stat":
      return await print([json ? `${JSON.stringify(countQueue(home))}\n` : formatQstat(countQueue(home))]);
    case "destinations":
      return await destinations(home, json);
    case "check":
      return await check(home, { json, repair: args["repair"] === true });
    case "drain":
      return await drain(home, { json, undo: args["undo"] === true });
  }
  if (word === "pause" || word === "resume") {
    const names = parseDestinations(more);
    if ("wrong" in names) fail(`queue ${word}: ${JSON.stringify(names.wrong)} is no site or domain`);
    if (names.length === 0) fail(`queue ${word}: say which destination, for example "queue ${word} example.org"`);
    return await pause(home, word, names, json);
  }
  const wanted = wantedOf(word, args, more);
  if (word === "show") return await show(home, wanted, json);
  const action = actions.find((name) => name === word)!;
  await act(home, action, wanted, json);
}

/** What this task does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(command, argv);
  if (args === undefined) return;
  const [word, ...more] = args._ as [string, ...string[]];
  const found = readHome(String(args["home"] ?? "var"));
  if (!found.ok) fail(found.error);
  const home = found.value;
  if (!existsSync(home.queue())) {
    fail(`there is no queue in ${home.dir}; "dqmail start --home ${home.dir}" makes one`);
  }
  await runTool(`queue ${word}`, () => run(home, word, args, more));
}

if (import.meta.main) await main(Deno.args);
