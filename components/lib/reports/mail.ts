/**
 * The mail that carries a report (RFC 8460 §5.3, RFC 9990 §3.5.2): a few words, and the report itself, compressed. An octet
 * string with LF line ends.
 * @module
 */
import { Buffer } from "node:buffer";
import { formatQmailDate } from "../message/date.ts";
import { secondsOfDay } from "./days.ts";

/** What one kind of report has that others have not. */
export interface MailStyle {
  /** Behind the file's name: `json.gz`. */
  readonly extension: string;
  /** Media type of the compressed report. */
  readonly mediaType: string;
  /** Media type of the whole, up to its boundary. */
  readonly wholeType: string;
  /** Header fields of its own. */
  readonly fields: readonly string[];
  /** Lines for people, US-ASCII. */
  readonly preamble: string;
  readonly words: readonly string[];
}

export interface ReportMail {
  /** An address that needs no quotes. */
  readonly from: string;
  readonly to: readonly string[];
  /** The domain that is reported to. */
  readonly domain: string;
  /** Ours. */
  readonly submitter: string;
  /** Left and right part of the report's id. */
  readonly reportId: { readonly left: string; readonly right: string };
  readonly unixSeconds: number;
  /** When the day began. */
  readonly startSeconds: number;
  /** Random letters and digits. */
  readonly token: string;
  /** The report, compressed by gzip. */
  readonly gzip: Uint8Array;
}

export function formatReportMail(mail: ReportMail, style: MailStyle): string {
  const { from, to, domain, submitter, reportId: { left, right }, unixSeconds, startSeconds, token } = mail;
  // No line of base64 has an underscore, and no line of ours begins so.
  const boundary = `=_${token}`;
  const file = `${submitter}!${domain}!${startSeconds}!${startSeconds + secondsOfDay - 1}.${style.extension}`;
  // Folded: two names of 253 octets in one line would be too long.
  return [
    `Date: ${formatQmailDate(unixSeconds, "+0000")}`,
    `From: <${from}>`,
    `To: ${to.map((address) => `<${address}>`).join(",\n ")}`,
    `Subject: Report Domain: ${domain}\n Submitter: ${submitter}\n Report-ID: <${left}@${right}>`,
    `Message-ID: <${startSeconds}.${token}@${submitter}>`,
    ...style.fields,
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
    `Content-Type: ${style.wholeType};\n boundary="${boundary}"`,
    "",
    style.preamble,
    "",
    `--${boundary}`,
    "Content-Type: text/plain; charset=us-ascii",
    "",
    ...style.words,
    "",
    `--${boundary}`,
    `Content-Type: ${style.mediaType}`,
    "Content-Transfer-Encoding: base64",
    `Content-Disposition: attachment;\n filename="${file}"`,
    "",
    ...Buffer.from(mail.gzip).toString("base64").match(/.{1,76}/g) ?? [],
    "",
    `--${boundary}--`,
    "",
  ].join("\n");
}
