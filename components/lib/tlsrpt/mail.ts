/**
 * What the mail with a TLS report has of its own (RFC 8460 §5.3).
 * @module
 */
import { dayOf } from "../reports/days.ts";
import type { MailStyle, ReportMail } from "../reports/mail.ts";

export function tlsMailStyle({ domain, submitter, startSeconds }: ReportMail): MailStyle {
  return {
    extension: "json.gz",
    mediaType: "application/tlsrpt+gzip",
    wholeType: `multipart/report; report-type="tlsrpt"`,
    fields: [
      `TLS-Report-Domain: ${domain}`,
      `TLS-Report-Submitter: ${submitter}`,
      // A report on broken TLS has to arrive in spite of it (RFC 8460 §3, RFC 8689 §3).
      "TLS-Required: No",
    ],
    preamble: "This is a report on TLS between mail servers, as RFC 8460 describes it.",
    words: [
      `This is the TLS report of ${submitter}`,
      `on mail to ${domain}`,
      `on ${dayOf(startSeconds)} (UTC). You get it for your domain's TXT record at _smtp._tls asks for it.`,
    ],
  };
}
