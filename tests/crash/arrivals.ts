/**
 * What arrived, out of the octets it arrived as: a file of a Maildir, or what the other host took.
 * @module
 */
import type { TakenMail } from "../support/smtp_sink.ts";
import { hashBody, sender } from "./load.ts";
import type { Arrival } from "./oracle.ts";

interface Parts {
  /** With LF line ends, the last one included. */
  readonly header: string;
  readonly body: string;
}

function split(message: string): Parts {
  const end = message.indexOf("\n\n");
  return end < 0 ? { header: message, body: "" } : { header: message.slice(0, end + 1), body: message.slice(end + 2) };
}

function field(header: string, name: string): string {
  return new RegExp(`^${name}: (.*)$`, "m").exec(header)?.[1] ?? "";
}

function delivery(recipient: string, { header, body }: Parts, atMs: number): Arrival {
  return {
    kind: "delivery",
    recipient,
    number: Number(field(header, "X-Number") || NaN),
    bodyHash: hashBody(body),
    atMs,
  };
}

/**
 * The recipients a bounce's text names. Not at a line's beginning alone: a paragraph that was cut by a crash may stand in
 * front (as in qmail).
 */
function bouncedRecipients(body: string): string[] {
  const text = body.slice(0, body.indexOf("\n--- Below this line is"));
  return Array.from(text.matchAll(/<([^<>\n]*)>:$/gm), ([, recipient]) => recipient!);
}

/** Out of a Maildir's file, written at `atMs`. */
export function parseMaildirFile(message: string, atMs: number): Arrival {
  const parts = split(message);
  const recipient = field(parts.header, "Delivered-To");
  if (recipient !== sender) return delivery(recipient, parts, atMs);
  return { kind: "bounce", recipients: [...new Set(bouncedRecipients(parts.body))], atMs };
}

/** Out of what the sink took: one for each recipient. */
export function parseTaken({ recipients, content }: TakenMail, atMs: number): Arrival[] {
  const parts = split(content.replaceAll("\r\n", "\n"));
  return recipients.map((recipient) => delivery(recipient, parts, atMs));
}
