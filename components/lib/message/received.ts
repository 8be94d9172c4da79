/**
 * Received fields that servers and the queue put in front of a message (RFC 5321 §4.4), as octet strings with LF line
 * ends. Whatever came from the network (HELO, host name from DNS) is sanitised here, so that no octet of it can end the
 * line, open a comment, or pass for another part of the field.
 * @module
 */
import { formatQmailDate } from "./date.ts";

/** What an SMTP server knows about the message's arrival. Host names and addresses are given without brackets. */
export interface SmtpTrace {
  /** The client's claim in HELO or EHLO; may be empty. */
  readonly helo: string;
  /** The client's verified name, if it has one. */
  readonly remoteHost?: string | undefined;
  readonly remoteIp: string;
  /** Nothing about the client is said: the field begins with the server's own name. */
  readonly isClientHidden?: boolean;
  /** The server's own name. */
  readonly by: string;
  readonly protocol: ReceivedProtocol;
  /** Of the channel, as "TLSv1.3 TLS_AES_128_GCM_SHA256"; goes into a comment. */
  readonly tls?: string | undefined;
  readonly unixSeconds: number;
  /** The server's identifier of this message, for finding it in logs. */
  readonly id?: string | undefined;
}

type Family = "ESMTP" | "LMTP" | "UTF8SMTP" | "UTF8LMTP";

/** Words for `with` (RFC 3848, RFC 6531 §4.3; qmail's two): "S" under TLS, "A" for somebody who has logged in. */
export type ReceivedProtocol = "SMTP" | "QMTP" | "QMQP" | `${Family}${"" | "S"}${"" | "A"}`;

/** How a message was transferred. */
export interface Transfer {
  readonly lmtp: boolean;
  /** EHLO was said. */
  readonly esmtp: boolean;
  readonly tls: boolean;
  readonly login: boolean;
  readonly smtputf8: boolean;
}

/**
 * The word for it.
 *
 * @example
 * ```ts
 * import { receivedProtocol } from "./received.ts";
 * receivedProtocol({ lmtp: false, esmtp: true, tls: true, login: true, smtputf8: false }); // "ESMTPSA"
 * ```
 */
export function receivedProtocol({ lmtp, esmtp, tls, login, smtputf8 }: Transfer): ReceivedProtocol {
  // Without EHLO there is no word for TLS or a login; both are extensions all the same.
  if (!lmtp && !esmtp && !tls && !login && !smtputf8) return "SMTP";
  const family: Family = lmtp ? (smtputf8 ? "UTF8LMTP" : "LMTP") : smtputf8 ? "UTF8SMTP" : "ESMTP";
  return `${family}${tls ? "S" : ""}${login ? "A" : ""}`;
}

/** Who called the queue program, in qmail's words. */
export type Invocation = `by uid ${number}` | "by alias" | "from network" | "for bounce";

/**
 * The SMTP server's field, two lines:
 *
 * ```text
 * Received: from client.example (host.example [198.51.100.7])
 *   by mx.example.com with ESMTP; 22 Nov 2026 07:48:04 +0000
 * ```
 *
 * Unlike qmail: RFC 5321's order, the claimed name first and what is known about the client in the comment; the
 * client's user name (RFC 1413) is left out.
 */
export function smtpReceived(trace: SmtpTrace): string {
  const helo = sanitise(trace.helo) || "unknown";
  const ip = trace.remoteIp.includes(":") ? `IPv6:${trace.remoteIp}` : trace.remoteIp;
  const host = trace.remoteHost === undefined || trace.remoteHost === "" ? "" : `${sanitise(trace.remoteHost)} `;
  const id = trace.id === undefined ? "" : ` id ${sanitise(trace.id)}`;
  const tls = trace.tls === undefined ? "" : ` (${trace.tls.split(" ").map(sanitise).join(" ")})`;
  const date = formatQmailDate(trace.unixSeconds, "+0000");
  const from = trace.isClientHidden === true ? "" : `from ${helo} (${host}[${sanitise(ip)}])\n  `;
  return `Received: ${from}by ${sanitise(trace.by)} with ${trace.protocol}${tls}${id}; ${date}\n`;
}

/**
 * The queue's own field, one line: `Received: (qmail 4896 invoked by uid 1000); 22 Nov 2026 07:48:04 -0000`. `qp` is the
 * queueing process, the number that also stands in "250 ok ... qp 4896" and in the log.
 */
export function queueReceived(
  trace: { readonly qp: number; readonly how: Invocation; readonly unixSeconds: number },
): string {
  return `Received: (qmail ${trace.qp} invoked ${trace.how}); ${formatQmailDate(trace.unixSeconds)}\n`;
}

/** qmail's set of harmless octets, and "_"; all others become "?". At most 255 are kept. */
function sanitise(octets: string): string {
  return octets.slice(0, 255).replace(/[^A-Za-z0-9.@%+/=:\-[\]_]/g, "?");
}
