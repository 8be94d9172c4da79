/**
 * A QMTP server's answers as reports, in qmail-remote's words.
 * @module
 */
import type { Reply } from "../lib/smtp/reply.ts";
import type { DeliveryReport, Verdict } from "../lib/wire/delivery_protocol.ts";
import type { Connection } from "./connection.ts";
import { report } from "./reports.ts";
import type { Breakage } from "./steps.ts";
import type { Transaction } from "./transaction.ts";

export interface Received {
  /** In the order of the recipients; fewer than those where the connection broke. */
  readonly reports: readonly DeliveryReport[];
  readonly breakage: Breakage | undefined;
}

/** Waits for one answer a recipient; for all of them together no longer than `timeoutMs`. */
export async function receivedAnswers(
  connection: Pick<Connection, "reply">,
  { ip, recipients }: Pick<Transaction, "ip" | "recipients">,
  timeoutMs: number,
): Promise<Received> {
  const endMs = performance.now() + timeoutMs;
  const reports: DeliveryReport[] = [];
  while (reports.length < recipients.length) {
    const answer = await connection.reply(endMs - performance.now());
    if (answer.kind !== "reply") return { reports, breakage: answer.kind };
    reports.push(answerReport(ip, answer.reply));
  }
  return { reports, breakage: undefined };
}

const verdicts: ReadonlyMap<number, Verdict> = new Map([[250, "K"], [450, "Z"], [550, "D"]]);

/** Unlike a reply of SMTP, an answer has no code to show. */
function answerReport(ip: string, { code, lines }: Reply): DeliveryReport {
  const verdict = verdicts.get(code)!;
  const what = verdict === "K" ? "accepted message" : "does not like recipient";
  return report(verdict, `${ip} ${what}.\nRemote host said: ${lines.join(" ")}`);
}
