/**
 * The texts of qmail-remote (qmail's interface: its records), and how the records of one transaction become one
 * report a recipient, as qmail-rspawn folds them.
 * @module
 */
import { formatReply, type Reply } from "../lib/smtp/reply.ts";
import type { DeliveryReport, Verdict } from "../lib/wire/delivery_protocol.ts";
import type { Breakage } from "./steps.ts";

/** A report that says one thing; `text` without its last LF. */
export function report(verdict: Verdict, text: string): DeliveryReport {
  return { verdict, text: `${text}\n` };
}

// qmail-remote keeps as much of a reply.
const longestReplyText = 5000;

/** A report on what the server replied; `text` is one line. */
export function replyReport(verdict: Verdict, text: string, reply: Reply): DeliveryReport {
  return report(verdict, `${text}\nRemote host said: ${formatReply(reply).slice(0, longestReplyText)}`);
}

/** D for a reply of 500 and more, Z for any other that is not what was hoped for. */
export function refusal(reply: Reply): Verdict {
  return reply.code >= 500 ? "D" : "Z";
}

/** No address could be connected to. */
export const noConnection = report("Z", "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)");

/** The same report for each of `count` recipients. */
export function forAll(count: number, one: DeliveryReport): DeliveryReport[] {
  return new Array<DeliveryReport>(count).fill(one);
}

const rank: Readonly<Record<Verdict, number>> = { K: 1, Z: 0, D: -1 };

/**
 * One recipient's report. `own`: the refusal of this recipient, `undefined` if it was accepted or not asked about;
 * `whole`: how the transaction ended. As in qmail-rspawn, the end is told beside a refusal unless it is better news.
 */
export function fold(own: DeliveryReport | undefined, whole: DeliveryReport): DeliveryReport {
  if (own === undefined) return whole;
  return rank[whole.verdict] <= rank[own.verdict] ? { ...own, text: own.text + whole.text } : own;
}

/** The connection failed; `isDoubtful`: after the whole message, so that the server may have it. */
export function brokenReport(ip: string, breakage: Breakage, isDoubtful = false): DeliveryReport {
  const [what, status] = breakage === "died" ? ["connection died.", "4.4.2"] : ["its reply was malformed.", "4.5.0"];
  return report("Z", `Connected to ${ip} but ${what}${isDoubtful ? " Possible duplicate!" : ""} (#${status})`);
}
