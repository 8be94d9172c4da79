/**
 * The text of reports that tell of no failure: somebody has the message, or does not have it yet. Programs must not take it
 * for a bounce: it does not begin as qmail's texts do, and no paragraph of it as theirs on a recipient. Octet strings with
 * LF line ends.
 * @module
 */
import { formatQmailDate } from "../message/date.ts";
import { breakLines, maskControls } from "./clean.ts";
import { headerAddress } from "./qsbmf.ts";
import type { ReportedRecipient } from "./report.ts";

export interface Notice {
  readonly kind: "success" | "delay";
  /** `bouncehost` */
  readonly host: string;
  readonly recipients: readonly ReportedRecipient[];
  /** For a delay: how long it is tried. */
  readonly retryUntilSeconds: number;
}

export const noticeSubjects: Readonly<Record<Notice["kind"], string>> = {
  success: "success notice",
  delay: "delay notice",
};

export function formatNotice({ kind, host, recipients, retryUntilSeconds }: Notice): string {
  const lines = kind === "success"
    ? [
      "You asked to be told when your message has been delivered. It has, to the following addresses:",
      "",
      ...recipients.map(successLine),
    ]
    : [
      "Your message could not be delivered to the following addresses yet. You need not send it again: this is",
      `tried until ${formatQmailDate(retryUntilSeconds, "+0000")}.`,
      "",
      ...recipients.flatMap(delayLines),
    ];
  const text = [`This is the qmail-send program at ${host}.`, ...lines, "", "The header of your message follows."];
  return `${breakLines(maskControls(text.join("\n")))}\n`;
}

function successLine({ recipient, action }: ReportedRecipient): string {
  const how = action === "relayed" ? "handed to a server that does not tell of deliveries" : "delivered";
  return `  ${headerAddress(recipient)}: ${how}`;
}

function delayLines({ recipient, report }: ReportedRecipient): string[] {
  return [
    `  ${headerAddress(recipient)}`,
    ...report.split("\n").filter((line) => line !== "").map((line) => `    ${line}`),
  ];
}
