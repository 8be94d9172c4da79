/**
 * What the mail with an aggregate report has of its own (RFC 9990 §3.5.2).
 * @module
 */
import { dayOf } from "../reports/days.ts";
import type { MailStyle, ReportMail } from "../reports/mail.ts";

export function dmarcMailStyle({ domain, submitter, startSeconds }: ReportMail): MailStyle {
  return {
    extension: "xml.gz",
    mediaType: "application/gzip",
    wholeType: "multipart/mixed",
    fields: [],
    preamble: "This is a DMARC aggregate report, as RFC 9990 describes it.",
    words: [
      `This is the DMARC report of ${submitter}`,
      `on mail from ${domain}`,
      `on ${dayOf(startSeconds)} (UTC). You get it for your domain's TXT record at _dmarc asks for it.`,
    ],
  };
}
