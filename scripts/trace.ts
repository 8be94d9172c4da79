/**
 * `deno task trace ID|ADDRESS [--home DIR] [--json] [--life K] [--follow]`: what the log says of a message, or of an
 * address's mail. Exit codes: 0 found, 1 the log has nothing about it, 100 wrong usage, 111 the log cannot be read.
 * @module
 */
import { homeAt } from "../config/home.ts";
import { inWords } from "./cli/called.ts";
import { failUsage, readCommandLine } from "./cli/command_line.ts";
import { commandOf } from "./cli/commands.ts";
import { formatAddress, formatEvent, formatMessage, formatTime } from "./trace/format.ts";
import { NoLog, type TraceSource, traceSource } from "./trace/source.ts";

const command = commandOf("trace");
const followMs = 1000;
/** Lives of an address that are shown. */
const shownLives = 20;

const pause = () => new Promise<void>((resolve) => setTimeout(resolve, followMs));

interface Shown {
  readonly json: boolean;
  readonly follow: boolean;
}

async function message(source: TraceSource, number: number, life: number, { json, follow }: Shown): Promise<boolean> {
  let trace = await source.message(number, life);
  const isFound = trace.events.length > 0;
  if (!follow || !isFound) {
    if (json) console.log(JSON.stringify(trace, undefined, 2));
    else if (isFound) console.log(formatMessage(trace));
    return isFound;
  }
  // A line may come late, in front of one that has been shown.
  const shown = new Set<string>();
  for (;; trace = await source.message(number, life)) {
    for (const event of trace.events) {
      const key = `${event.atMs} ${event.component} ${event.text}`;
      if (shown.has(key)) continue;
      shown.add(key);
      console.log(json ? JSON.stringify(event) : formatEvent(event));
    }
    if (trace.events.some(({ kind }) => kind === "end")) return true;
    await pause();
  }
}

async function address(source: TraceSource, wanted: string, { json, follow }: Shown): Promise<boolean> {
  const trace = await source.address(wanted, shownLives);
  const isFound = trace.lives.length + trace.refusals.length > 0;
  if (json && !follow) console.log(JSON.stringify(trace, undefined, 2));
  else if (isFound && !json) console.log(formatAddress(trace));
  if (!follow) return isFound;
  // Of an address there may be something to tell only later.
  for (let after = (await source.tail(0, wanted, undefined)).cursor;; await pause()) {
    const { lines, cursor } = await source.tail(shownLines, wanted, after);
    for (const { atMs, component, text } of lines) {
      console.log(
        json ? JSON.stringify({ atMs, component, text }) : `${formatTime(atMs)}    ${component.padEnd(12)} ${text}`,
      );
    }
    after = cursor;
  }
}

/** Lines of one second. */
const shownLines = 1000;

/** What this task does with the words behind its name. */
export async function main(argv: readonly string[]): Promise<void> {
  const args = readCommandLine(command, argv);
  if (args === undefined) return;
  const [word, ...more] = args._.map(String);
  if (word === undefined || more.length > 0) failUsage(command, "expected one message's number, or one address");
  const life = String(args["life"] ?? "1");
  if (!/^[1-9][0-9]{0,5}$/.test(life)) failUsage(command, `--life: expected a number from 1 on, got ${life}`);
  const isNumber = /^[0-9]{1,15}$/.test(word);
  if (!isNumber && !word.includes("@")) failUsage(command, "expected a message's number, or an address");
  const source = traceSource(homeAt(String(args["home"] ?? "var")));
  const shown = { json: args["json"] === true, follow: args["follow"] === true };
  try {
    const isFound = isNumber
      ? await message(source, Number(word), Number(life), shown)
      : await address(source, word.replace(/^<(.*)>$/, "$1"), shown);
    if (isFound) return;
    if (!shown.json) console.error(`the log has nothing about ${word}`);
    Deno.exit(1);
  } catch (error) {
    if (!(error instanceof NoLog)) throw error;
    console.error(inWords(error.message));
    Deno.exit(111);
  }
}

if (import.meta.main) await main(Deno.args);
