/**
 * MAIL and RCPT with the parameters that a server offers and a message needs.
 * @module
 */
import { formatNotify, type MessageOptions, type RecipientOptions } from "../lib/queue/message_options.ts";
import { formatXtext } from "../lib/smtp/xtext.ts";
import type { ContentFacts } from "./content.ts";
import type { Peer } from "./peer.ts";

export interface MailFacts {
  readonly peer: Peer;
  readonly content: ContentFacts;
  readonly options: MessageOptions | undefined;
  /** What the content is, where it is more than 7-bit lines. */
  readonly body: "8BITMIME" | "BINARYMIME" | undefined;
  readonly wantsUtf8: boolean;
  readonly requireTls: boolean;
}

/** With its CRLF; says nothing that the server does not offer. */
export function mailCommand(reversePath: string, facts: MailFacts): string {
  const { peer, content, options, wantsUtf8, requireTls } = facts;
  const size = peer.size === undefined ? "" : ` SIZE=${content.wireBytes}`;
  const isTaken = facts.body === "BINARYMIME" ? peer.binaryMime : peer.eightBitMime;
  const body = facts.body !== undefined && isTaken ? ` BODY=${facts.body}` : "";
  const utf8 = peer.smtpUtf8 && wantsUtf8 ? " SMTPUTF8" : "";
  const dsn = peer.dsn && options !== undefined ? mailParameters(options) : "";
  return `MAIL FROM:<${reversePath}>${size}${body}${utf8}${dsn}${requireTls ? " REQUIRETLS" : ""}\r\n`;
}

/** With its CRLF. */
export function rcptCommand(forwardPath: string, options: RecipientOptions | undefined): string {
  return `RCPT TO:<${forwardPath}>${options === undefined ? "" : rcptParameters(options)}\r\n`;
}

export function isUtf8(address: string): boolean {
  for (let at = 0; at < address.length; at++) if (address.charCodeAt(at) > 127) return true;
  return false;
}

/** RFC 3461 §4.3, §4.4: what was asked for, and no more. */
function mailParameters({ ret, envid }: MessageOptions): string {
  return `${ret === undefined ? "" : ` RET=${ret}`}${envid === undefined ? "" : ` ENVID=${formatXtext(envid)}`}`;
}

/** RFC 3461 §4.1, §4.2. */
function rcptParameters({ notify, orcpt }: RecipientOptions): string {
  const notified = notify === undefined ? "" : ` NOTIFY=${formatNotify(notify)}`;
  return `${notified}${orcpt === undefined ? "" : ` ORCPT=${formatXtext(orcpt)}`}`;
}
