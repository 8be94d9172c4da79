/**
 * Bounces as qmail writes them (QSBMF, the qmail-send bounce message format): programs read these texts, so they are
 * kept to the letter. Everything is an octet string with LF line ends.
 * @module
 */
import { formatPath } from "../address/mailbox.ts";
import { parseEnvelopeAddress } from "../address/parse_path.ts";
import { formatQmailDate } from "../message/date.ts";
import { breakLines, maskControls } from "./clean.ts";

/** One failed recipient's paragraph in `bounce/N`; `recipient` as the sender knows it, `report` as the log has it. */
export function formatParagraph(recipient: string, report: string): string {
  let body = `<${recipient.replaceAll("\n", "_")}>:\n${report}`;
  while (body.endsWith("\n")) body = body.slice(0, -1);
  // No empty line inside a paragraph: each line end behind another becomes a slash.
  return `${body.replaceAll(/(?<=\n)\n/g, "/")}\n\n`;
}

export type BouncePlan =
  | { readonly kind: "single" | "double"; readonly sender: string; readonly recipient: string }
  | { readonly kind: "discarded double" }
  | { readonly kind: "triple" };

/**
 * Who gets the bounce of a message from `sender` (a VERP mark already removed). A double bounce goes out with the sender
 * `#@[]`, and a bounce of that goes nowhere. `doubleBounceTo`: "" for nobody.
 */
export function planBounce(sender: string, doubleBounceTo: string): BouncePlan {
  if (sender === "#@[]") return { kind: "triple" };
  if (sender === "" && doubleBounceTo === "") return { kind: "discarded double" };
  if (sender === "") return { kind: "double", sender: "#@[]", recipient: doubleBounceTo };
  return { kind: "single", sender: "", recipient: sender };
}

/** What the text of a bounce says. */
export interface TextFields {
  readonly kind: "single" | "double";
  /** `bouncehost` */
  readonly host: string;
  /** The paragraphs of `bounce/N`. */
  readonly paragraphs: string;
  /** The operator's own words (control/custombouncetext), with LF behind each line; "" and absent: none. */
  readonly customText?: string;
}

export interface BounceFields extends TextFields {
  readonly unixSeconds: number;
  /** `bouncefrom@bouncehost` */
  readonly from: string;
  readonly recipient: string;
  /** Reverse-path of the message that failed, for the Return-Path line above its copy. */
  readonly originalSender: string;
}

// Longer ones do not come by SMTP (parse_path.ts), and a header field has to fit into a line.
const longestAddress = 900;

/** An address as header fields have it: quoted where needed, harmless in any case. */
export function headerAddress(address: string): string {
  const mailbox = parseEnvelopeAddress(address);
  const quoted = mailbox === undefined ? address : formatPath(mailbox);
  return maskControls(quoted.replaceAll("\n", "_")).slice(0, longestAddress);
}

/** Goes in front of the copy. */
export function returnPathLine(originalSender: string): string {
  return `Return-Path: <${headerAddress(originalSender)}>\n`;
}

/**
 * The body of a bounce up to its separator line, that line included.
 *
 * Unlike qmail: control octets of a report become "?", and a line of more than 998 octets is broken. `bounce/N` has them
 * as they came.
 */
export function formatText(fields: TextFields): string {
  const greeting = `Hi. This is the qmail-send program at ${fields.host}.`;
  const introduction = fields.kind === "single"
    ? [
      greeting,
      "I'm afraid I wasn't able to deliver your message to the following addresses.",
      "This is a permanent error; I've given up. Sorry it didn't work out.",
    ]
    : [greeting, "I tried to deliver a bounce message to this address, but the bounce bounced!"];
  const separator = fields.kind === "single"
    ? "--- Below this line is a copy of the message."
    : "--- Below this line is the original bounce.";
  const custom = fields.customText ? `${fields.customText}\n` : "";
  return `${introduction.join("\n")}\n\n${custom}${breakLines(maskControls(fields.paragraphs))}${separator}\n`;
}

/** All of the bounce up to the copy of the message, which follows unchanged. */
export function formatBounce(fields: BounceFields): string {
  const header = [
    `Date: ${formatQmailDate(fields.unixSeconds)}`,
    `From: ${headerAddress(fields.from)}`,
    `To: ${headerAddress(fields.recipient)}`,
    "Subject: failure notice",
  ];
  return `${header.join("\n")}\n\n${formatText(fields)}\n${returnPathLine(fields.originalSender)}`;
}
