/**
 * Bounces as multipart/report (RFC 6522): qmail's text to the letter, which programs read; the same for machines
 * (RFC 3464; RFC 6533 where an address is UTF-8); and the message that failed, or its header. Octet strings with LF line
 * ends; what others wrote is masked, so that none of it can begin a line or a field.
 * @module
 */
import { decodeUtf8 } from "../address/parse_domain.ts";
import { formatQmailDate } from "../message/date.ts";
import { asciiLine, isEightBit } from "./clean.ts";
import { type FailedRecipient, remoteReply, statusOf } from "./paragraphs.ts";
import { formatText, headerAddress, returnPathLine, type TextFields } from "./qsbmf.ts";

/** What is copied of the message that failed, and what was found in it. */
export interface Copy {
  readonly part: "message" | "header";
  /** The header that is copied. */
  readonly header: string;
  /** Octets over 0x7f are in what is copied. */
  readonly eightBit: boolean;
  readonly messageId: string | undefined;
}

export interface ReportFields extends TextFields {
  readonly unixSeconds: number;
  /** `bouncefrom@bouncehost` */
  readonly from: string;
  readonly recipient: string;
  readonly originalSender: string;
  /** Control/me. */
  readonly reportingMta: string;
  /** When the message came into the queue. */
  readonly arrivalSeconds: number;
  /** When the last of `failed` failed; of the others only the order is known. */
  readonly lastFailureSeconds: number;
  /** `paragraphs`, parsed: one at least. */
  readonly failed: readonly FailedRecipient[];
  readonly copy: Copy;
  /** Left part of the Message-ID: random letters and digits. */
  readonly idToken: string;
}

/** A report in front of and behind the copy. */
export interface Report {
  readonly before: string;
  readonly after: string;
}

/** One part of the report: header fields, and octets. */
interface Part {
  readonly fields: readonly string[];
  readonly body: string;
}

/**
 * `boundary` must occur neither in the copy nor in the rest of the report; `undefined` where it does in the latter: try
 * another one.
 */
export function formatReport(fields: ReportFields, boundary: string): Report | undefined {
  const parts = [textPart(fields), statusPart(fields), copyPart(fields)];
  if (parts.some((part) => part.body.includes(boundary))) return undefined;
  const eightBit = parts.some((part) => part.fields.includes(eightBitField));
  const header = [
    `Date: ${formatQmailDate(fields.unixSeconds, "+0000")}`,
    `From: Mail Delivery System <${headerAddress(fields.from)}>`,
    `To: ${headerAddress(fields.recipient)}`,
    "Subject: failure notice",
    `Message-ID: <${fields.idToken}@${fields.host}>`,
    ...replyFields(fields.copy.messageId),
    "MIME-Version: 1.0",
    "Auto-Submitted: auto-replied",
    `Content-Type: multipart/report; report-type=delivery-status;\n boundary="${boundary}"`,
    ...eightBit ? [eightBitField] : [],
  ];
  const before = parts.map((part) => `\n--${boundary}\n${part.fields.join("\n")}\n\n${part.body}`).join("");
  return { before: `${header.join("\n")}\n${before}`, after: `\n--${boundary}--\n` };
}

const eightBitField = "Content-Transfer-Encoding: 8bit";

function replyFields(messageId: string | undefined): string[] {
  return messageId === undefined ? [] : [`In-Reply-To: ${messageId}`, `References: ${messageId}`];
}

function part(type: string, eightBit: boolean, body: string): Part {
  return { fields: [`Content-Type: ${type}`, ...eightBit ? [eightBitField] : []], body };
}

function textPart(fields: ReportFields): Part {
  const text = formatText(fields);
  const eightBit = isEightBit(text);
  return part(`text/plain; charset=${eightBit ? "utf-8" : "us-ascii"}`, eightBit, text);
}

function statusPart(fields: ReportFields): Part {
  const message = [
    `Reporting-MTA: dns; ${asciiLine(fields.reportingMta)}`,
    `Arrival-Date: ${formatQmailDate(fields.arrivalSeconds, "+0000")}`,
  ];
  const last = fields.failed.length - 1;
  const recipients = fields.failed.map((failed, at) => [
    ...recipientFields(failed),
    ...at === last ? [`Last-Attempt-Date: ${formatQmailDate(fields.lastFailureSeconds, "+0000")}`] : [],
  ]);
  const body = [message, ...recipients].map((block) => `${block.join("\n")}\n`).join("\n");
  const utf8 = isEightBit(body);
  return part(utf8 ? "message/global-delivery-status" : "message/delivery-status", utf8, body);
}

function recipientFields({ recipient, report }: FailedRecipient): string[] {
  const address = headerAddress(recipient);
  const utf8 = isEightBit(address) && decodeUtf8(address) !== undefined;
  const reply = remoteReply(report);
  return [
    `Final-Recipient: ${utf8 ? `utf-8; ${address}` : `rfc822; ${asciiLine(address)}`}`,
    "Action: failed",
    `Status: ${statusOf(report)}`,
    ...reply?.host === undefined ? [] : [`Remote-MTA: dns; ${hostName(reply.host)}`],
    // A line of the reply each, folded: the blank in front keeps any of them from being a field.
    ...reply === undefined ? [] : [`Diagnostic-Code: smtp; ${reply.lines.map((line) => asciiLine(line)).join("\n ")}`],
  ];
}

/** An address as a domain literal (RFC 5321 §4.1.3). */
function hostName(host: string): string {
  if (host.includes(":")) return `[IPv6:${host}]`;
  return /^[0-9.]+$/.test(host) ? `[${host}]` : host;
}

function copyPart({ copy, originalSender }: ReportFields): Part {
  const returnPath = returnPathLine(originalSender);
  const header = returnPath + copy.header;
  const utf8 = isEightBit(header) && decodeUtf8(header) !== undefined;
  const [plain, global] = copy.part === "message"
    ? ["message/rfc822", "message/global"]
    : ["text/rfc822-headers", "message/global-headers"];
  return part(utf8 ? global! : plain!, copy.eightBit || isEightBit(returnPath), returnPath);
}
