/**
 * What a delivery tells about its destination: whether mail gets through to it. A refusal is as good a sign as success.
 * @module
 */
import { remoteReply, statusOf } from "../lib/dsn/paragraphs.ts";
import type { DeliveryReport, SpawnReply } from "../lib/wire/delivery_protocol.ts";

/**
 * `answered`: the destination's server spoke. `unreachable`: it could not be reached, or the connection failed. `unknown`:
 * the trouble was ours, or nobody knows what came of the delivery.
 */
export type Outcome = "answered" | "unreachable" | "unknown";

/**
 * What the reports of one delivery say about its destination. Network trouble is status 4.4.x (RFC 3463 §3.5), whether
 * we say so or the server does; it counts only when no recipient was answered.
 *
 * @example
 * ```ts
 * import { outcomeOf } from "./outcome.ts";
 * const text = "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n";
 * outcomeOf({ lost: false, reports: [{ verdict: "Z", text }] }); // "unreachable"
 * ```
 */
export function outcomeOf({ lost, reports }: SpawnReply): Outcome {
  if (lost) return "unknown";
  if (reports.every(isNetworkTrouble)) return "unreachable";
  return reports.some(isAnswer) ? "answered" : "unknown";
}

function isNetworkTrouble({ verdict, text }: DeliveryReport): boolean {
  return verdict === "Z" && statusOf(text).startsWith("4.4.");
}

/** A deferral that quotes nobody is our own: no memory, no name server. */
function isAnswer(report: DeliveryReport): boolean {
  return report.verdict !== "Z" || remoteReply(report.text) !== undefined && !isNetworkTrouble(report);
}
