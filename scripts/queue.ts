/**
 * `deno task queue COMMAND`: what lies in a queue and whether it is whole, and an operator's word on messages in it. On a
 * running system qmail-send does what is asked for; see queue/ for the commands.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { existsSync } from "@std/fs";
import type { Home } from "../config/home.ts";
import { print, runTool } from "../components/lib/process/tool.ts";
import { formatQread, formatQstat, JsonListing } from "../components/lib/queue/format_listing.ts";
import { countQueue, readListing } from "../components/lib/queue/listing.ts";
import { actions } from "../components/lib/wire/control_protocol.ts";
import { qread } from "../components/tools/qmail-qread.ts";
import { fail } from "./fail.ts";
import { readHome } from "./home/queue_split.ts";
import { act } from "./queue/act.ts";
import { check } from "./queue/check.ts";
import { destinations } from "./queue/destinations.ts";
import { drain } from "./queue/drain.ts";
import { parseWanted, type Wanted } from "./queue/select.ts";
import { show } from "./queue/show.ts";

const help = `Usage: deno task queue COMMAND [ID... | --all | --to DOMAIN | --from SENDER] [--home DIR] [--json]

Looks at the queue, while everything runs:
  list               every preprocessed message with its recipients, as qmail-qread shows them
  stat               how many messages there are, and how many are not yet preprocessed (their first attempt runs, or waits)
  destinations       remote destinations (sites, and domains of which no site is known) that have deliveries: how many run
                     and wait, how many may run, at which rate, until when they are paused, what was said last
  show               all that is known of a message: where it stands, its recipients, its failures, its header
  check              whether every file is where and what it should be; a line for each that is not
  check --repair     on a stopped system: puts right what can be, and moves into queue-aside what it cannot explain

Has qmail-send do something for messages, and says for each what was done, or why not:
  retry              the next attempt is now
  hold               no further attempt until it is released, also after a restart
  release            what is held is due now
  expire             the lifetime is over: one last attempt now, and who is not delivered to then fails and is bounced
  delete             gone, without a bounce; deliveries that run end first

  drain              empties the journal into qmail's own layout, for qmail's programs or a copy of the queue; on a running
                     system no new mail goes into it until "drain --undo" or the next start of qmail-send

Messages are meant by their numbers (ID), or by
  --all              all of them
  --to DOMAIN        those with recipients left in that domain
  --from SENDER      those of that envelope sender ('' for bounces); with --to: those that are both

Works on the queue of the dqmail in DIR (default var), as root or as the user who started it. --json prints JSON.

  deno task queue list
  deno task queue stat --json
  deno task queue destinations
  deno task queue show 1835
  deno task queue hold 1835 1840
  deno task queue retry --to example.org
  deno task queue delete --from spammer@example.net
  deno task queue check --home /var/lib/dqmail/home
  deno task queue drain

Exit codes: 0 done; 1 some of it was not done, or check found something; 100 wrong usage; 111 qmail-send does not run, or
the queue cannot be read: try again later.`;

/** The options of each command beside --home, --json and --help. */
const selecting = ["all", "to", "from"] as const;
const optionsOf: Readonly<Record<string, readonly string[]>> = {
  list: [],
  stat: [],
  destinations: [],
  show: selecting,
  check: ["repair"],
  drain: ["undo"],
  ...Object.fromEntries(actions.map((action) => [action, selecting])),
};

const strings = ["home", "to", "from"];
const booleans = ["json", "help", "all", "undo", "repair"];

function* jsonTexts(home: Home): Generator<string, void, undefined> {
  const json = new JsonListing();
  yield* qread(readListing(home), (event) => json.push(event));
  yield json.end();
}

/** Ends with 100 where the words and options are not the command's. */
function checkUsage(command: string, more: readonly string[]): void {
  const allowed = Object.hasOwn(optionsOf, command) ? optionsOf[command] : undefined;
  if (allowed === undefined) fail(`${command} is not known\n\n${help}`);
  for (const arg of Deno.args) {
    if (arg === "--") break;
    const name = /^--?([^=]*)/.exec(arg)?.[1];
    if (name === undefined || ["home", "json", "help", ...allowed].includes(name)) continue;
    if ([...strings, ...booleans].includes(name)) fail(`queue ${command}: --${name} is not known\n\n${help}`);
  }
  if (!allowed.includes("all") && more.length > 0) fail(`${more[0]} is not known\n\n${help}`);
}

function wantedOf(command: string, args: Readonly<Record<string, unknown>>, more: readonly string[]): Wanted {
  const wanted = parseWanted(more, args);
  if (!wanted.ok) fail(`queue ${command}: ${wanted.error}\n\n${help}`);
  return wanted.value;
}

async function run(home: Home, command: string, args: Readonly<Record<string, unknown>>, more: readonly string[]) {
  const json = args["json"] === true;
  switch (command) {
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
  const wanted = wantedOf(command, args, more);
  if (command === "show") return await show(home, wanted, json);
  const action = actions.find((name) => name === command)!;
  await act(home, action, wanted, json);
}

async function main(): Promise<void> {
  const args = parseArgs(Deno.args, {
    string: strings,
    boolean: booleans,
    unknown: (arg) => arg.startsWith("-") ? fail(`deno task queue: ${arg} is not known\n\n${help}`) : true,
  });
  const [command, ...more] = args._.map(String);
  if (args["help"] === true || command === undefined) return console.log(help);
  checkUsage(command, more);
  const found = readHome(String(args["home"] ?? "var"));
  if (!found.ok) fail(found.error);
  const home = found.value;
  if (!existsSync(home.queue())) {
    fail(`there is no queue in ${home.dir}; "deno task start --home ${home.dir}" makes one`);
  }
  await runTool(`queue ${command}`, () => run(home, command, args, more));
}

if (import.meta.main) await main();
