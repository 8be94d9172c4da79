/**
 * qmail-tcpto: lists the addresses to which connections timed out lately, the longest ago first, in qmail's words. Asks
 * the running qmail-remote; anybody may. Where none runs nothing is remembered. Exit codes: 0, or 111 when qmail-remote does not answer.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { homeOptions, parseHomeArgs } from "../lib/process/home_args.ts";
import { print, runTool } from "../lib/process/tool.ts";
import { askIfRunning } from "../lib/wire/ask.ts";
import { parseRemoteStatus, type TcptoRecord } from "../lib/wire/tcpto_protocol.ts";

/** One line, as qmail's program prints it. */
export function formatTcpto({ address, ageSeconds, timeouts }: TcptoRecord): string {
  return `${address} timed out ${ageSeconds} seconds ago; # recent timeouts: ${timeouts}\n`;
}

if (import.meta.main) {
  const args = parseArgs(Deno.args, { string: homeOptions });
  await runTool("qmail-tcpto", async () => {
    const reply = await askIfRunning(parseHomeArgs(args).socket("remote-status"), { op: "status" });
    if (reply !== undefined) await print(parseRemoteStatus(reply).tcpTimeouts.map(formatTcpto));
  });
}
