/**
 * qmail-tcpok: makes qmail-remote forget which addresses timed out, so that the next delivery tries them. For root,
 * qmailr and members of the queue's group; says nothing. Where none runs nothing is remembered. Exit codes: 0, or 111 when qmail-remote does not answer.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { homeOptions, parseHomeArgs } from "../lib/process/home_args.ts";
import { runTool } from "../lib/process/tool.ts";
import { askIfRunning } from "../lib/wire/ask.ts";

if (import.meta.main) {
  const args = parseArgs(Deno.args, { string: homeOptions });
  await runTool("qmail-tcpok", async () => {
    await askIfRunning(parseHomeArgs(args).socket("qmail-remote"), { op: "tcpok" });
  });
}
