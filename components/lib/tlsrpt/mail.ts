/**
 * The mail that carries a report (RFC 8460 §5.3): a multipart/report with a few words and the compressed JSON. An octet
 * string with LF line ends.
 * @module
 */
import { Buffer } from "node:buffer";
import { formatQmailDate } from "../message/date.ts";
import { secondsOfDay } from "./report.ts";

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
  /** The JSON, compressed by gzip. */
  readonly gzip: Uint8Array;
}

export function formatReportMail(mail: ReportMail): string {
  const { from, to, domain, submitter, reportId: { left, right }, unixSeconds, startSeconds, token } = mail;
  // No line of base64 has an underscore, and no line of ours begins so.
  const boundary = `=_${token}`;
  const day = new Date(startSeconds * 1000).toISOString().slice(0, 10);
  const file = `${submitter}!${domain}!${startSeconds}!${startSeconds + secondsOfDay - 1}.json.gz`;
  // Folded: two names of 253 octets in one line would be too long.
  return [
    `Date: ${formatQmailDate(unixSeconds, "+0000")}`,
    `From: <${from}>`,
    `To: ${to.map((address) => `<${address}>`).join(",\n ")}`,
    `Subject: Report Domain: ${domain}\n Submitter: ${submitter}\n Report-ID: <${left}@${right}>`,
    `Message-ID: <${startSeconds}.${token}@${submitter}>`,
    `TLS-Report-Domain: ${domain}`,
    `TLS-Report-Submitter: ${submitter}`,
    // A report on broken TLS has to arrive in spite of it (RFC 8460 §3, RFC 8689 §3).
    "TLS-Required: No",
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
    `Content-Type: multipart/report; report-type="tlsrpt";\n boundary="${boundary}"`,
    "",
    "This is a report on TLS between mail servers, as RFC 8460 describes it.",
    "",
    `--${boundary}`,
    "Content-Type: text/plain; charset=us-ascii",
    "",
    `This is the TLS report of ${submitter}`,
    `on mail to ${domain}`,
    `on ${day} (UTC). You get it for your domain's TXT record at _smtp._tls asks for it.`,
    "",
    `--${boundary}`,
    "Content-Type: application/tlsrpt+gzip",
    "Content-Transfer-Encoding: base64",
    `Content-Disposition: attachment;\n filename="${file}"`,
    "",
    ...Buffer.from(mail.gzip).toString("base64").match(/.{1,76}/g) ?? [],
    "",
    `--${boundary}--`,
    "",
  ].join("\n");
}
