/**
 * Sends a report of success or delay through qmail-queue, with a copy of the message's header.
 * @module
 */
import { openMessage, pieceBytes } from "../lib/delivery/message_file.ts";
import { isEightBit } from "../lib/dsn/clean.ts";
import { formatNotice, noticeSubjects } from "../lib/dsn/notice.ts";
import { cutHeader, headerOf, messageIdOf } from "../lib/dsn/original.ts";
import { formatStatusReport, type StatusFields } from "../lib/dsn/report.ts";
import { log } from "../lib/log/log.ts";
import { fromOctets, toOctets } from "../lib/octets.ts";
import { Submission } from "../lib/queue/submission.ts";
import { type BounceWays, randomHex } from "./bouncer.ts";
import { logMail } from "./log_lines.ts";
import type { StatusReport } from "./reports.ts";
import { bounceAddress } from "./verp.ts";

/** Settles with true once the report is queued. Throws when the message is unreadable. */
export async function sendStatusReport(ways: BounceWays, report: StatusReport): Promise<boolean> {
  const { id, kind } = report;
  const recipient = bounceAddress(report.sender);
  const text = frame(ways, report, headerOfMessage(ways, report));
  const submission = new Submission(ways.queue, "bounce", 0);
  await submission.write(toOctets(text));
  const { code, qp } = await submission.commit({ sender: "", recipients: [recipient] });
  if (code === 0) logMail({ event: "report", msg: id, qp, kind });
  else log(`warning: trouble injecting a report of ${kind} of msg ${id}, will try later`);
  return code === 0;
}

function headerOfMessage({ home, journal }: BounceWays, { id, place }: StatusReport): string {
  const file = openMessage(home, journal, id, place);
  try {
    return cutHeader(headerOf(fromOctets(file.read(0))), pieceBytes - 1);
  } finally {
    file.close();
  }
}

function frame({ controls, nowSeconds, random = randomHex }: BounceWays, report: StatusReport, header: string): string {
  const { kind, recipients, envid, arrivalSeconds, retryUntilSeconds } = report;
  const host = controls.bouncehost;
  const recipient = bounceAddress(report.sender);
  const fields: StatusFields = {
    unixSeconds: nowSeconds,
    subject: noticeSubjects[kind],
    text: formatNotice({ kind, host, recipients, retryUntilSeconds }),
    from: `${controls.bouncefrom}@${host}`,
    ...{ host, recipient, originalSender: recipient, reportingMta: controls.me },
    ...{ arrivalSeconds, envid, recipients, lastAttemptSeconds: nowSeconds },
    ...kind === "delay" ? { retryUntilSeconds } : {},
    copy: { part: "header", header, eightBit: isEightBit(header), messageId: messageIdOf(header) },
    idToken: `${nowSeconds}.${random()}`,
  };
  for (;;) {
    const boundary = `=_${random()}`;
    const framed = formatStatusReport(fields, boundary);
    if (framed !== undefined && !header.includes(boundary)) return framed.before + header + framed.after;
  }
}
