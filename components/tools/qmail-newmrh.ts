/**
 * qmail-newmrh: makes control/morercpthosts.cdb from control/morercpthosts. Says nothing, or why not; exit codes: 0, or
 * 111 for any trouble: then the old one is still in force.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import type { Home } from "../../config/home.ts";
import { lowerCaseAscii } from "../lib/address/parse_domain.ts";
import { replaceCdb } from "../lib/cdb/files.ts";
import type { CdbRecord } from "../lib/cdb/maker.ts";
import { describeError, flushLog, log } from "../lib/log/log.ts";
import { fromOctets, toOctets } from "../lib/octets.ts";
import { homeOptions, parseHomeArgs } from "../lib/process/home_args.ts";
import { runTool } from "../lib/process/tool.ts";

/** One record for each line, in lower case, without data. `text` is an octet string. */
export function compileMorercpthosts(text: string): readonly CdbRecord[] {
  return text.split("\n")
    .map((line) => lowerCaseAscii(line.replace(/[ \t]+$/, "")))
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => ({ key: toOctets(line), data: toOctets("") }));
}

/** qmail's words on a line of their own; what is behind them in front. */
function die(words: string, reason: string): never {
  log(`qmail-newmrh: warning: ${reason}`);
  log(`qmail-newmrh: fatal: ${words}`);
  flushLog();
  Deno.exit(111);
}

const stepWords = {
  open: "unable to write to control/morercpthosts.tmp",
  write: "unable to write to control/morercpthosts.tmp",
  move: "unable to move control/morercpthosts.tmp to control/morercpthosts.cdb",
} as const;

function newmrh(home: Home): void {
  const path = home.control("morercpthosts");
  try {
    using list = Deno.openSync(path, { read: true });
    // Held to the end: of two that run at once, the second would write into the first one's file.
    list.lockSync(true);
    const records = compileMorercpthosts(fromOctets(Deno.readFileSync(path)));
    const made = replaceCdb(home.control("morercpthosts.cdb"), home.control("morercpthosts.tmp"), records);
    if (!made.ok) die(stepWords[made.error.step], describeError(made.error.cause));
  } catch (error) {
    die("unable to read control/morercpthosts", describeError(error));
  }
}

if (import.meta.main) {
  const args = parseArgs(Deno.args, { string: homeOptions });
  await runTool("qmail-newmrh", () => Promise.resolve(newmrh(parseHomeArgs(args))));
}
