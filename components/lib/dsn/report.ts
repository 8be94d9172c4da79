/**
 * Reports as multipart/report (RFC 6522): for a bounce qmail's text to the letter, which programs read; the same for
 * machines (RFC 3464; RFC 6533 where an address is UTF-8); and the message it is about, or its header. Octet strings with LF
 * line ends; what others wrote is masked, so that none of it can begin a line or a field.
 * @module
 */
import { decodeUtf8 } from "../address/parse_domain.ts";
import { formatQmailDate } from "../message/date.ts";
import { formatXtext } from "../smtp/xtext.ts";
import { asciiLine, isEightBit } from "./clean.ts";
import { type FailedRecipient, remoteReply, statusOf } from "./paragraphs.ts";
import { formatText, headerAddress, returnPathLine, type TextFields } from "./qsbmf.ts";

/** What is copied of the message, and what was found in it. */
export interface Copy {
  readonly part: "message" | "header";
  /** The header that is copied. */
  readonly header: string;
  /** Octets over 0x7f are in what is copied. */
  readonly eightBit: boolean;
  readonly messageId: string | undefined;
}

/** What became of a recipient (RFC 3464 §2.3.3). */
export type Action = "failed" | "delayed" | "delivered" | "relayed";

export interface ReportedRecipient extends FailedRecipient {
  /** "failed" where none is given. */
  readonly action?: Action;
  /** As its client gave it, xtext undone. */
  readonly orcpt?: string | undefined;
}

/** What every report says. */
interface CommonFields {
  readonly unixSeconds: number;
  /** `bouncehost` */
  readonly host: string;
  /** `bouncefrom@bouncehost` */
  readonly from: string;
  readonly recipient: string;
  readonly originalSender: string;
  /** Control/me. */
  readonly reportingMta: string;
  /** When the message came into the queue. */
  readonly arrivalSeconds: number;
  /** As its client gave it, xtext undone. */
  readonly envid?: string | undefined;
  readonly copy: Copy;
  /** Left part of the Message-ID: random letters and digits. */
  readonly idToken: string;
}

/** A bounce. */
export interface ReportFields extends CommonFields, TextFields {
  /** When the last of `failed` failed; of the others only the order is known. */
  readonly lastFailureSeconds: number;
  /** `paragraphs`, parsed: one at least. */
  readonly failed: readonly ReportedRecipient[];
}

/** A report of any kind. */
export interface StatusFields extends CommonFields {
  readonly subject: string;
  readonly text: string;
  /** When the last of `recipients` was tried. */
  readonly lastAttemptSeconds: number;
  /** What is delayed is tried until then. */
  readonly retryUntilSeconds?: number;
  /** One at least. */
  readonly recipients: readonly ReportedRecipient[];
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
  const { failed: recipients, lastFailureSeconds: lastAttemptSeconds } = fields;
  const text = formatText(fields);
  return formatStatusReport({ ...fields, subject: "failure notice", text, recipients, lastAttemptSeconds }, boundary);
}

/** As {@link formatReport}, with any text. */
export function formatStatusReport(fields: StatusFields, boundary: string): Report | undefined {
  const parts = [textPart(fields), statusPart(fields), copyPart(fields)];
  if (parts.some((part) => part.body.includes(boundary))) return undefined;
  const eightBit = parts.some((part) => part.fields.includes(eightBitField));
  const header = [
    `Date: ${formatQmailDate(fields.unixSeconds, "+0000")}`,
    `From: Mail Delivery System <${headerAddress(fields.from)}>`,
    `To: ${headerAddress(fields.recipient)}`,
    `Subject: ${fields.subject}`,
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

function textPart({ text }: StatusFields): Part {
  const eightBit = isEightBit(text);
  return part(`text/plain; charset=${eightBit ? "utf-8" : "us-ascii"}`, eightBit, text);
}

function statusPart(fields: StatusFields): Part {
  const message = [
    ...fields.envid === undefined ? [] : [`Original-Envelope-Id: ${asGiven(fields.envid)}`],
    `Reporting-MTA: dns; ${asciiLine(fields.reportingMta)}`,
    `Arrival-Date: ${formatQmailDate(fields.arrivalSeconds, "+0000")}`,
  ];
  const last = fields.recipients.length - 1;
  const { retryUntilSeconds } = fields;
  const recipients = fields.recipients.map((recipient, at) => [
    ...recipientFields(recipient),
    ...at === last ? [`Last-Attempt-Date: ${formatQmailDate(fields.lastAttemptSeconds, "+0000")}`] : [],
    ...retryUntilSeconds === undefined ? [] : [`Will-Retry-Until: ${formatQmailDate(retryUntilSeconds, "+0000")}`],
  ]);
  const body = [message, ...recipients].map((block) => `${block.join("\n")}\n`).join("\n");
  const utf8 = isEightBit(body);
  return part(utf8 ? "message/global-delivery-status" : "message/delivery-status", utf8, body);
}

/** What a client gave, to be known again by its octets: as xtext again where a field cannot have them (RFC 3461 §4.4). */
function asGiven(octets: string): string {
  return asciiLine(/^[!-~](?:[ -~]*[!-~])?$/.test(octets) ? octets : formatXtext(octets));
}

/** Address type, ";" and the address (RFC 3464 §2.3.1). */
function originalRecipient(orcpt: string): string {
  const end = orcpt.indexOf(";");
  const type = orcpt.slice(0, Math.max(end, 0));
  return `${/^[A-Za-z0-9-]{1,60}$/.test(type) ? type : "unknown"}; ${asGiven(orcpt.slice(end + 1))}`;
}

function statusFor(action: Action, report: string): string {
  if (action === "failed") return statusOf(report);
  if (action !== "delayed") return "2.0.0";
  const status = statusOf(report);
  return status.startsWith("4.") ? status : "4.0.0";
}

function recipientFields({ recipient, report, action = "failed", orcpt }: ReportedRecipient): string[] {
  const address = headerAddress(recipient);
  const utf8 = isEightBit(address) && decodeUtf8(address) !== undefined;
  const reply = remoteReply(report);
  return [
    ...orcpt === undefined ? [] : [`Original-Recipient: ${originalRecipient(orcpt)}`],
    `Final-Recipient: ${utf8 ? `utf-8; ${address}` : `rfc822; ${asciiLine(address)}`}`,
    `Action: ${action}`,
    `Status: ${statusFor(action, report)}`,
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

function copyPart({ copy, originalSender }: StatusFields): Part {
  const returnPath = returnPathLine(originalSender);
  const header = returnPath + copy.header;
  const utf8 = isEightBit(header) && decodeUtf8(header) !== undefined;
  const [plain, global] = copy.part === "message"
    ? ["message/rfc822", "message/global"]
    : ["text/rfc822-headers", "message/global-headers"];
  return part(utf8 ? global! : plain!, copy.eightBit || isEightBit(returnPath), returnPath);
}
