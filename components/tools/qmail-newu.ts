/**
 * qmail-newu: makes users/cdb from users/assign, at once and for deliveries from now on. Says nothing, or why not; exit
 * codes: 0, or 111 for any trouble: then the old users/cdb is still in force.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import type { Home } from "../../config/home.ts";
import { replaceCdb } from "../lib/cdb/files.ts";
import { fromOctets } from "../lib/octets.ts";
import { describeError, flushLog, log } from "../lib/log/log.ts";
import { homeOptions, parseHomeArgs } from "../lib/process/home_args.ts";
import { runTool } from "../lib/process/tool.ts";
import { compileAssign } from "../lib/users/assign.ts";

/** qmail's words on a line of their own; what is behind them in front. */
function die(words: string, reason: string): never {
  log(`qmail-newu: warning: ${reason}`);
  log(`qmail-newu: fatal: ${words}`);
  flushLog();
  Deno.exit(111);
}

function attempt<T>(words: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    die(words, describeError(error));
  }
}

const stepWords = {
  open: "unable to open users/cdb.tmp",
  write: "unable to write users/cdb.tmp",
  move: "unable to move users/cdb.tmp to users/cdb",
} as const;

function newu(home: Home): void {
  const path = home.users("assign");
  using assign = attempt("unable to open users/assign", () => Deno.openSync(path, { read: true }));
  const text = attempt("unable to read users/assign", () => {
    // Held to the end: of two that run at once, the second would write into the first one's file.
    assign.lockSync(true);
    return fromOctets(Deno.readFileSync(path));
  });
  const records = compileAssign(text);
  if (!records.ok) die("bad format in users/assign", `users/assign: ${records.error}`);
  const made = replaceCdb(home.users("cdb"), home.users("cdb.tmp"), records.value);
  if (!made.ok) die(stepWords[made.error.step], describeError(made.error.cause));
}

if (import.meta.main) {
  const args = parseArgs(Deno.args, { string: homeOptions });
  await runTool("qmail-newu", () => Promise.resolve(newu(parseHomeArgs(args))));
}
