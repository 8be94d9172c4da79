/**
 * Between qmail-popup, which speaks with POP3 clients, and qmail-pop3d, which reads mailboxes (socket `qmail-pop3d`): a
 * connection for each session, one request at a time, each with one answer.
 *
 * `open` comes first, with the ticket that auth gave for a login: `opened`, or `refused` and nothing more. Then `command`
 * with a line of the client's (its body, an octet string's octets); the answer is a `piece`: octets for the client, as they
 * go over the network. Where it is not the `last`, `more` gets the next one: so neither side ever holds more than a piece,
 * however slow the client is. A connection that ends without QUIT changes nothing in the mailbox.
 *
 * A mailbox that is not qmail-pop3d's is `elsewhere`: the same ticket opens it at qmail-pop3spawn (socket of that name),
 * which speaks the same and hands all of it on, over its standard streams, to a qmail-pop3d that runs as the mailbox's
 * owner. There every frame has the number of its `session`; `open` says whose mailbox it is, and where; `close` ends a
 * session, and so does `closed` from the other side.
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
 * `ticket`: it is none, or not any more. `account`: the mailbox is of an account whose mail is not read here. `absent`: there is no
 * Maildir. `unreadable`: it cannot be read now. `unavailable`: somebody who has to be asked is away.
 */
export const refusals = ["ticket", "account", "absent", "unreadable", "unavailable"] as const;
export type Refusal = (typeof refusals)[number];

/** `elsewhere`: to be opened at qmail-pop3spawn. */
export type OpenReply =
  | { readonly kind: "elsewhere" }
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

/** What a qmail-pop3d of one owner is told. */
export type OwnersRequest =
  | {
    readonly op: "open";
    readonly id: number;
    readonly session: number;
    readonly login: string;
    readonly home: string;
  }
  | (Exclude<Pop3Request, { op: "open" }> & { readonly session: number })
  | { readonly op: "close"; readonly session: number };

/** Throws ProtocolError. */
export function parseOwnersRequest(frame: Frame): OwnersRequest {
  const { head } = frame;
  const op = field.oneOf(head, "op", ["open", "command", "more", "close"]);
  const session = field.wholeNumber(head, "session");
  if (op === "close") return { op, session };
  if (op === "open") {
    const id = field.wholeNumber(head, "id");
    return { op, id, session, login: field.address(head, "login"), home: field.text(head, "home") };
  }
  const request = parsePop3Request(frame);
  if (request.op === "open") throw new ProtocolError("expected another op");
  return { ...request, session };
}

/** Which session a frame of a qmail-pop3d of one owner is for, and whether it is its end. Throws ProtocolError. */
export function parseOwnersReply({ head }: Frame): { readonly session: number; readonly closed: boolean } {
  return { session: field.wholeNumber(head, "session"), closed: head["kind"] === "closed" };
}

/** Throws ProtocolError. */
export function parseOpenReply({ head }: Frame): OpenReply {
  const kind = field.oneOf(head, "kind", ["opened", "refused", "elsewhere"]);
  if (kind === "elsewhere") return { kind };
  if (kind === "refused") return { kind, reason: field.oneOf(head, "reason", refusals) };
  return { kind, count: field.wholeNumber(head, "count"), bytes: field.wholeNumber(head, "bytes") };
}

/** Throws ProtocolError. */
export function parsePiece({ head, body }: Frame): Piece {
  field.oneOf(head, "kind", ["piece"]);
  if (body.length > longestPiece) throw new ProtocolError(`expected a piece of at most ${longestPiece} octets`);
  return { octets: body, last: field.flag(head, "last"), ends: field.flag(head, "ends") };
}
