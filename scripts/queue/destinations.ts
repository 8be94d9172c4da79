/**
 * `deno task queue destinations`: which remote destinations have deliveries, and how they are paced.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { print } from "../../components/lib/process/tool.ts";
import {
  mostDestinations,
  parseDestinationsReply,
  type ShownDestination,
} from "../../components/lib/wire/control_protocol.ts";
import { formatTable } from "../table.ts";
import { askSend } from "./ask_send.ts";
import { harmless } from "./show.ts";

const titles = ["destination", "kind", "running", "waiting", "window", "rate", "state", "last error"];

/** One word of what holds it up. */
function stateOf({ paused, pausedUntilMs, unreachable }: ShownDestination): string {
  if (paused) return "paused by the operator";
  if (pausedUntilMs > 0) return `paused until ${new Date(pausedUntilMs).toISOString().slice(0, 19)}Z`;
  return unreachable ? "unreachable" : "open";
}

function formatRow(shown: ShownDestination): string[] {
  const { name, site, running, waiting, window, rate, lastCode, lastError } = shown;
  const error = `${lastCode === 0 ? "" : `${lastCode} `}${lastError}`.trim();
  return [
    ...[name, site ? "site" : "domain", `${running}`, `${waiting}`, `${window}`, rate === "" ? "-" : rate],
    ...[stateOf(shown), error === "" ? "-" : error],
  ].map((cell) => harmless(cell).replace(/[\t\n]/g, "_"));
}

/** As text, a line for each, ending in LF. */
export function formatDestinations(shown: readonly ShownDestination[]): string {
  if (shown.length === 0) return "no remote destination has deliveries\n";
  return `${formatTable([titles, ...shown.map(formatRow)])}\n`;
}

export async function destinations(home: Home, json: boolean): Promise<void> {
  const shown = parseDestinationsReply(await askSend(home, { op: "destinations", count: mostDestinations }));
  await print([json ? `${JSON.stringify(shown, undefined, 2)}\n` : formatDestinations(shown)]);
}
