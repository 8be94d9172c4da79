/**
 * Dials under flags of its own, as qmail-remote does: the last argument is a JSON list of `[address, port, options]`;
 * writes a JSON list of what came of each, with the first reply where there was a connection.
 * @module
 */
import { dial, type DialOptions } from "../../../components/qmail-remote/dial.ts";

async function tryOne(address: string, port: number, options: DialOptions): Promise<string> {
  const dialled = await dial(address, port, options);
  if (dialled.kind !== "connected") {
    return "unreachable" in dialled ? "unreachable" : dialled.kind;
  }
  const answer = await dialled.connection.reply(5000);
  dialled.connection.close("");
  return answer.kind === "reply" ? `${answer.reply.code} ${answer.reply.lines.join(" ")}` : answer.kind;
}

if (import.meta.main) {
  const results: string[] = [];
  const all = JSON.parse(Deno.args.at(-1)!) as readonly (readonly [string, number, DialOptions])[];
  for (const [address, port, options] of all) results.push(await tryOne(address, port, options));
  console.log(JSON.stringify(results));
  Deno.exit(0);
}
