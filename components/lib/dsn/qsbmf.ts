/**
 * Bounces as qmail writes them (QSBMF, the qmail-send bounce message format): programs read these texts, so they are
 * kept to the letter. Everything is an octet string with LF line ends.
 * @module
 */
import { formatPath } from "../address/mailbox.ts";
import { parseEnvelopeAddress } from "../address/parse_path.ts";
import { formatQmailDate } from "../message/date.ts";

/** One failed recipient's paragraph in `bounce/N`; `recipient` as the sender knows it, `report` as the log has it. */
export function formatParagraph(recipient: string, report: string): string {
  let body = `<${recipient.replaceAll("\n", "_")}>:\n${report}`;
  while (body.endsWith("\n")) body = body.slice(0, -1);
  // No empty line inside a paragraph: each line end behind another becomes a slash.
  return `${body.replaceAll(/(?<=\n)\n/g, "/")}\n\n`;
}

export type BouncePlan =
  | { readonly kind: "single" | "double"; readonly sender: string; readonly recipient: string }
  | { readonly kind: "triple" };

/**
 * Who gets the bounce of a message from `sender` (a VERP mark already removed). A double bounce goes out with the sender
 * `#@[]`, and a bounce of that goes nowhere.
 */
export function planBounce(sender: string, doubleBounceTo: string): BouncePlan {
  if (sender === "#@[]") return { kind: "triple" };
  if (sender === "") return { kind: "double", sender: "#@[]", recipient: doubleBounceTo };
  return { kind: "single", sender: "", recipient: sender };
}

export interface BounceFields {
  readonly kind: "single" | "double";
  readonly unixSeconds: number;
  /** `bouncefrom@bouncehost` */
  readonly from: string;
  readonly host: string;
  readonly recipient: string;
  /** Reverse-path of the message that failed, for the Return-Path line above its copy. */
  readonly originalSender: string;
  /** The paragraphs of `bounce/N`. */
  readonly paragraphs: string;
}

function quoted(address: string): string {
  const mailbox = parseEnvelopeAddress(address);
  return (mailbox === undefined ? address : formatPath(mailbox)).replaceAll("\n", "_");
}

/** All of the bounce up to the copy of the message, which follows unchanged. */
export function formatBounce(fields: BounceFields): string {
  const header = [
    `Date: ${formatQmailDate(fields.unixSeconds)}`,
    `From: ${quoted(fields.from)}`,
    `To: ${quoted(fields.recipient)}`,
    "Subject: failure notice",
    "",
  ];
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
  const text = [...header, ...introduction, ""].join("\n") + "\n" + fields.paragraphs;
  return `${text}${separator}\n\nReturn-Path: <${quoted(fields.originalSender)}>\n`;
}
