/**
 * The table of goals as data: which figure of which measurement stands in which row, and what it has to reach.
 * @module
 */
import type { MeasurementName } from "./measurements.ts";

/** What a measurement can tell. */
export type FigureName =
  | "messages/s"
  | "seconds"
  | "p50 ms"
  | "p99 ms"
  | "CPU ms"
  | "rest MB"
  | "mx MB"
  | `+${number} MB`
  | "start s";

/** Servers of other makes that a goal can name. */
export type PeerName = "postfix" | "opensmtpd" | "exim";

export type Goal =
  /** At least, or at most, so many times the peer's figure. */
  | { readonly kind: "atLeast" | "atMost"; readonly times: number; readonly peer: PeerName }
  /** Whatever others need. */
  | { readonly kind: "limit"; readonly atMost: number };

export interface TableRow {
  readonly title: string;
  readonly measurement: MeasurementName;
  readonly figure: FigureName;
  readonly goals: readonly Goal[];
}

const rate = "messages/s";

export const tableRows: readonly TableRow[] = [
  row("accept 1 KiB, messages/s", "accept-1k", rate, atLeast(3, "postfix")),
  row("accept, messages/s", "accept", rate, atLeast(3, "postfix"), atLeast(1, "opensmtpd")),
  row("accept on kept connections, messages/s", "accept-kept", rate, atLeast(3, "postfix"), atLeast(1, "opensmtpd")),
  row("accept 100 KiB, messages/s", "accept-100k", rate, atLeast(1.5, "postfix")),
  row("accept 1 MiB, messages/s", "accept-1m", rate, atLeast(1.5, "postfix")),
  row("accept, one session: p50 latency, ms", "accept-one", "p50 ms", atMost(0.8, "postfix")),
  row("accept, 20 sessions: p99 latency, ms", "accept", "p99 ms", atMost(0.4, "postfix")),
  row("local to one mailbox, messages/s", "local", rate, atLeast(3.5, "postfix")),
  row("local to 100 mailboxes, messages/s", "local-100", rate, atLeast(3.5, "postfix")),
  row("relay, messages/s", "relay", rate, atLeast(3, "postfix")),
  row("relay, kept connections in, messages/s", "relay-kept", rate, atLeast(3, "postfix")),
  row("bulk: 10,000 recipients, one domain, s", "bulk", "seconds", atMost(0.8, "exim")),
  row("bulk: 10,000 recipients, 1,000 domains, s", "bulk-domains", "seconds", atMost(1, "exim")),
  row("bulk to a slow host, 1,000 recipients, s", "bulk-slow", "seconds", atMost(1, "postfix")),
  row("bulk: 10,000 local mailboxes, s", "bulk-local", "seconds", atMost(0.4, "postfix")),
  row("bulk: 10,000 recipients in 100 local mailboxes, s", "bulk-local-100", "seconds", atMost(0.4, "postfix")),
  row("memory at rest, MB", "idle", "rest MB", limit(200)),
  row("memory at rest, without POP3, QMTP, admin, MB", "idle", "mx MB", limit(130)),
  row("memory for 500 idle connections, MB", "idle", "+500 MB", limit(8)),
  row("memory for 5,000 idle connections, MB", "idle", "+5000 MB", limit(80)),
  row("start until 220, s", "start", "start s", limit(0.5)),
  row("CPU per accepted message, ms", "accept", "CPU ms", limit(0.6)),
];

function row(title: string, measurement: MeasurementName, figure: FigureName, ...goals: Goal[]): TableRow {
  return { title, measurement, figure, goals };
}

function atLeast(times: number, peer: PeerName): Goal {
  return { kind: "atLeast", times, peer };
}

function atMost(times: number, peer: PeerName): Goal {
  return { kind: "atMost", times, peer };
}

function limit(atMost: number): Goal {
  return { kind: "limit", atMost };
}
