/**
 * Whether a goal is met, from the figures of one run of everything. Pure; medians in, words out.
 * @module
 */
import type { Goal, PeerName } from "./table_rows.ts";

/** A row's figures: ours, and those of the peers that were measured beside it. */
export interface RowFigures {
  readonly own: number | undefined;
  readonly peers: Readonly<Partial<Record<PeerName, number>>>;
}

/** "open": there is no figure to judge by. */
export type Verdict = "met" | "missed" | "open";

/** Judges one goal. */
export function judge(goal: Goal, { own, peers }: RowFigures): Verdict {
  if (own === undefined) return "open";
  if (goal.kind === "limit") return own <= goal.atMost ? "met" : "missed";
  const peer = peers[goal.peer];
  if (peer === undefined) return "open";
  const isMet = goal.kind === "atLeast" ? own >= goal.times * peer : own <= goal.times * peer;
  return isMet ? "met" : "missed";
}

/** Of several goals: missed where one is, open where one is and none is missed. */
export function judgeAll(goals: readonly Goal[], figures: RowFigures): Verdict {
  const verdicts = goals.map((goal) => judge(goal, figures));
  return verdicts.includes("missed") ? "missed" : verdicts.includes("open") || goals.length === 0 ? "open" : "met";
}

/** Ours divided by the peer's; undefined where one of them is missing. */
export function ratio({ own, peers }: RowFigures, peer: PeerName): number | undefined {
  const theirs = peers[peer];
  return own === undefined || theirs === undefined || theirs === 0 ? undefined : own / theirs;
}

/** A goal as it stands in the table. */
export function describeGoal(goal: Goal): string {
  if (goal.kind === "limit") return `≤ ${goal.atMost}`;
  const names: Readonly<Record<PeerName, string>> = { postfix: "Postfix", opensmtpd: "OpenSMTPD", exim: "Exim" };
  return `${goal.kind === "atLeast" ? "≥" : "≤"} ${goal.times}× ${names[goal.peer]}`;
}
