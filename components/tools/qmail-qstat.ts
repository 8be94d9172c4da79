/**
 * qmail-qstat: counts the messages in the queue and those not yet preprocessed. Needs to be root or to share the queue's
 * group. Exit codes: 0, or 111 when the queue cannot be read.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { homeOptions, parseHomeArgs } from "../lib/process/home_args.ts";
import { print, runTool } from "../lib/process/tool.ts";
import { formatQstat } from "../lib/queue/format_listing.ts";
import { countQueue } from "../lib/queue/listing.ts";

if (import.meta.main) {
  const args = parseArgs(Deno.args, { string: homeOptions });
  await runTool("qmail-qstat", () => print([formatQstat(countQueue(parseHomeArgs(args)))]));
}
