/**
 * `deno task queue pause|resume DESTINATION...`: has qmail-send begin no delivery to sites or domains, until it is told to
 * go on.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { print } from "../../components/lib/process/tool.ts";
import { destinationOf, parsePauseReply, type PauseResult } from "../../components/lib/wire/control_protocol.ts";
import { askSend } from "./ask_send.ts";
import { harmless } from "./show.ts";

export type PauseOp = "pause" | "resume";

/** The destinations as qmail-send knows them; the first word that names none otherwise. */
export function parseDestinations(words: readonly string[]): readonly string[] | { readonly wrong: string } {
  const names: string[] = [];
  for (const word of words) {
    const name = destinationOf(fromOctets(new TextEncoder().encode(word)));
    if (name === undefined) return { wrong: word };
    names.push(name);
  }
  return [...new Set(names)];
}

/** One line, ending in LF. */
export function formatPause(op: PauseOp, { destination, changed }: PauseResult): string {
  const name = harmless(new TextDecoder().decode(toOctets(destination)));
  if (op === "pause") {
    return changed
      ? `${name}: paused; deliveries that run already end as they would\n`
      : `${name}: is paused already\n`;
  }
  return changed
    ? `${name}: resumed; what was put off meanwhile is tried within five minutes ("queue retry --to ${name}": now)\n`
    : `${name}: is not paused\n`;
}

export async function pause(home: Home, op: PauseOp, names: readonly string[], json: boolean): Promise<void> {
  const results: PauseResult[] = [];
  for (const destination of names) {
    const result = parsePauseReply(await askSend(home, { op, destination }));
    if (json) results.push(result);
    else await print([formatPause(op, result)]);
  }
  if (json) await print([`${JSON.stringify(results, undefined, 2)}\n`]);
}
