/**
 * Between qmail-popup, which speaks with POP3 clients, and qmail-pop3d, which reads mailboxes (socket `qmail-pop3d`): a
 * connection for each session, one request at a time, each with one answer.
 *
 * `open` comes first, with the ticket that auth gave for a login: `opened`, or `refused` and nothing more. Then `command`
 * with a line of the client's (its body, an octet string's octets); the answer is a `piece`: octets for the client, as they
 * go over the network. Where it is not the `last`, `more` gets the next one: so neither side ever holds more than a piece,
 * however slow the client is. A connection that ends without QUIT changes nothing in the mailbox.
 * @module
 */
import { longestTicket } from "./auth_protocol.ts";
import * as field from "./fields.ts";
import type { Frame } from "./frame.ts";
import { ProtocolError } from "./server.ts";

/** Octets of a command without its line end: the client's side takes no longer ones. */
export const longestLine = 1024;
/** Octets of a piece: a chunk of a file in which every octet is doubled, and what stands around it. */
export const longestPiece = 64 * 1024 + 64;

export type Pop3Request =
  | { readonly op: "open"; readonly id: number; readonly ticket: string }
  | { readonly op: "command"; readonly id: number; readonly line: Uint8Array }
  | { readonly op: "more"; readonly id: number };

/**
 * `ticket`: it is none, or not any more. `account`: the mailbox is one of an account of the system. `absent`: there is no
 * Maildir. `unreadable`: it cannot be read now. `unavailable`: somebody who has to be asked is away.
 */
export const refusals = ["ticket", "account", "absent", "unreadable", "unavailable"] as const;
export type Refusal = (typeof refusals)[number];

export type OpenReply =
  | { readonly kind: "opened"; readonly count: number; readonly bytes: number }
  | { readonly kind: "refused"; readonly reason: Refusal };

export interface Piece {
  readonly octets: Uint8Array;
  /** The command is answered. */
  readonly last: boolean;
  /** The session is over: it was QUIT. */
  readonly ends: boolean;
}

/** Throws ProtocolError. */
export function parsePop3Request({ head, body }: Frame): Pop3Request {
  const op = field.oneOf(head, "op", ["open", "command", "more"]);
  const id = field.wholeNumber(head, "id");
  if (op === "open") return { op, id, ticket: field.text(head, "ticket", longestTicket) };
  if (op === "more") return { op, id };
  if (body.length > longestLine) throw new ProtocolError(`expected a line of at most ${longestLine} octets`);
  return { op, id, line: body };
}

/** Throws ProtocolError. */
export function parseOpenReply({ head }: Frame): OpenReply {
  const kind = field.oneOf(head, "kind", ["opened", "refused"]);
  if (kind === "refused") return { kind, reason: field.oneOf(head, "reason", refusals) };
  return { kind, count: field.wholeNumber(head, "count"), bytes: field.wholeNumber(head, "bytes") };
}

/** Throws ProtocolError. */
export function parsePiece({ head, body }: Frame): Piece {
  field.oneOf(head, "kind", ["piece"]);
  if (body.length > longestPiece) throw new ProtocolError(`expected a piece of at most ${longestPiece} octets`);
  return { octets: body, last: field.flag(head, "last"), ends: field.flag(head, "ends") };
}
