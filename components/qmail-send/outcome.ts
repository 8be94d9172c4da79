/**
 * What a delivery tells about its destination: whether mail gets through to it. A refusal is as good a sign as success; a
 * server that asks for less mail is not.
 * @module
 */
import { lowerCaseAscii } from "../lib/address/parse_domain.ts";
import { remoteReply, statusOf } from "../lib/dsn/paragraphs.ts";
import type { DeliveryReport, NextHop, SpawnReply } from "../lib/wire/delivery_protocol.ts";

/**
 * `answered`: the destination's server spoke. `overloaded`: it did, and wants less mail, or none just now. `unreachable`:
 * it could not be reached, or the connection failed. `unknown`: the trouble was ours, or nobody knows what came of the
 * delivery.
 */
export type Outcome = "answered" | "overloaded" | "unreachable" | "unknown";

/**
 * What the reports of one delivery say about its destination. Network trouble is status 4.4.x (RFC 3463 §3.5), whether
 * we say so or the server does; it counts only when no recipient was answered. See {@link isOverload} for the rest.
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
  const different = [...new Set(reports)];
  if (different.every(isNetworkTrouble)) return "unreachable";
  if (different.some(isOverload)) return "overloaded";
  return different.some(isAnswer) ? "answered" : "unknown";
}

/** What a delivery told of its destination beside its outcome. */
export interface Told {
  /** What domains of one provider share; "": that is not known. */
  readonly site: string;
  /** The relay that took it, or was to; absent: none, it went by MX, or that is not known. */
  readonly relay?: string;
  /** Where somebody did not get it: the reply's code (0: none), and the first such report. */
  readonly code: number;
  readonly error: string | undefined;
}

/** What a remote delivery's reports tell of its destination. */
export function toldBy(reply: SpawnReply): Told {
  const next = nextHopOf(reply);
  const relay = next?.relay === undefined ? {} : { relay: next.relay };
  const error = reply.reports.find(({ verdict }) => verdict !== "K")?.text;
  return { site: lowerCaseAscii(next?.site ?? ""), code: next?.code ?? 0, error, ...relay };
}

/** Where a delivery went, as its reports tell: the same for all of them. */
export function nextHopOf({ reports }: SpawnReply): NextHop | undefined {
  return reports.find(({ next }) => next !== undefined)?.next;
}

function isNetworkTrouble({ verdict, text }: DeliveryReport): boolean {
  return verdict === "Z" && statusOf(text).startsWith("4.4.");
}

/** A deferral that quotes nobody is our own: no memory, no name server. */
function isAnswer(report: DeliveryReport): boolean {
  return report.verdict !== "Z" || remoteReply(report.text) !== undefined && !isNetworkTrouble(report);
}

/**
 * Codes that can mean that there was too much: 421 always does, for the server ends the connection (RFC 5321 §3.8); the
 * others where they answer no single recipient, or say so.
 */
const overloadCode = /^(?:421|45[0-2])/;
/** About a mailbox, an address or the message itself, not about the server (RFC 3463 §3.2, §3.3, §3.7). */
const ofOneMessage = /^4\.[126]\./;
/** Mail flood, congestion, a server that takes nothing now; and the 4.7.5xx and 4.7.6xx that large providers use for it. */
const overloadStatus = /^4\.(?:7\.28|4\.5|3\.2|7\.[56][0-9]{2})$/;
/** As servers say it at RCPT, where the codes alone may be greylisting or a full mailbox. */
const overloadWords =
  /\b(?:rate[- ]?limit|throttl|too (?:many (?:connections|messages|mails|sessions)|much mail|fast)|unexpected volume|server busy)/i;
const toOneRecipient = " does not like recipient.";

/** Whether one report is a sign that the server wants less mail. */
function isOverload({ verdict, text, next }: DeliveryReport): boolean {
  if (verdict !== "Z") return next?.code === 421;
  if (next?.code === 421) return true;
  const reply = remoteReply(text)?.lines.join("\n");
  if (reply === undefined || !overloadCode.test(reply)) return false;
  if (reply.startsWith("421")) return true;
  const status = statusOf(text);
  if (overloadStatus.test(status) || overloadWords.test(reply)) return true;
  // Greylisting and full mailboxes answer RCPT, and are no reason to send others less.
  return !text.slice(0, text.indexOf("\n")).endsWith(toOneRecipient) && !ofOneMessage.test(status);
}
