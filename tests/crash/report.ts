/**
 * What a run of the crash harness came to.
 * @module
 */

export interface Totals {
  readonly kills: ReadonlyMap<string, number>;
  accepted: number;
  unknown: number;
  arrivedAnyway: number;
  refused: number;
  deliveries: number;
  duplicates: number;
  bounces: number;
  lost: number;
  /** Files in a Maildir's tmp that nobody finished. */
  begun: number;
  /** What the queue had after a stop that the next start removed, by the check's word for it. */
  readonly garbage: Map<string, number>;
  readonly oddities: Map<string, number>;
  seconds: number;
}

export interface Report {
  readonly totals: Totals;
  /** Each with all that is known of it; the run ends with the first check that has any. */
  readonly findings: readonly string[];
  /** Where everything is kept. */
  readonly kept: string | undefined;
}

function list(counts: ReadonlyMap<string, number>): string {
  return Array.from(counts, ([name, count]) => `${name} ${count}`).sort().join(", ") || "none";
}

/** The totals as lines, one thing each. */
export function formatTotals({ totals, findings, kept }: Report, seed: number): string {
  const all = totals.kills.values().reduce((sum, count) => sum + count, 0);
  const rows: [string, string | number][] = [
    ["seed", seed],
    ["seconds", `${totals.seconds.toFixed(0)} (${(all / totals.seconds).toFixed(1)} kills a second)`],
    ["kills", `${all}: ${list(totals.kills)}`],
    ["accepted", totals.accepted],
    ["unknown", `${totals.unknown} (answer never heard)`],
    ["refused", totals.refused],
    ["arrived anyway", `${totals.arrivedAnyway} of the unknown and the refused`],
    ["deliveries", totals.deliveries],
    ["bounces", totals.bounces],
    ["duplicates", totals.duplicates],
    ["lost", totals.lost],
    ["garbage removed", list(totals.garbage)],
    ["left in tmp", totals.begun],
    ["noticed", list(totals.oddities)],
    ["findings", findings.length],
    ...kept === undefined ? [] : [["kept", kept] as [string, string]],
  ];
  return rows.map(([name, value]) => `${`${name}:`.padEnd(17)}${value}`).join("\n");
}
