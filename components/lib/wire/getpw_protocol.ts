/**
 * What qmail-getpw is asked (socket `qmail-getpw`): who gets mail for an address, and from whom a message is sent on.
 *
 * `find` takes an address after rewriting (qmail-lspawn); the answer names the account. `check` takes one as a client
 * gave it (the servers, at RCPT time); the answer says only whether there is such a mailbox. `forward` (qmail-local) gets
 * the envelope sender under which a message goes on to these recipients: another one where SRS gives it one. It is no
 * secret: whoever can ask could have such a message sent on, too.
 * @module
 */
import * as field from "./fields.ts";
import type { Frame } from "./frame.ts";

export type GetpwRequest =
  | { readonly op: "find" | "check"; readonly id: number; readonly address: string }
  | { readonly op: "forward"; readonly id: number; readonly sender: string; readonly recipients: readonly string[] };

/** The answer to `forward`. */
export interface ForwardReply {
  readonly sender: string;
}

/** Whose mail it is, as qmail's lookup has it: the account, and what its `.qmail` files are looked up by. */
export interface Controlling {
  readonly kind: "account";
  /** Whether it is a line of users/passwd: it has no account of the system, and its home belongs to the mail server. */
  readonly isVirtual: boolean;
  /** The virtual mailbox is `user@domain`; "" for an account of the system. */
  readonly domain: string;
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  /** Absolute path. */
  readonly home: string;
  /** Between `.qmail` and the extension: "" or "-" (users/assign may have others). */
  readonly dash: string;
  /** In its own case. */
  readonly extension: string;
}

/**
 * `none`: no such mailbox. `possible`: qmail-getpw may not look into that home, so mail is to be taken and the delivery
 * will tell. `unsure`: it cannot be said at the moment. `find` is answered by `account`, `none` or `unsure`.
 */
export type GetpwReply =
  | Controlling
  | { readonly kind: "exists" }
  | { readonly kind: "none" }
  | { readonly kind: "possible" }
  | { readonly kind: "unsure" };

/** Throws ProtocolError. */
export function parseGetpwRequest(frame: Frame): GetpwRequest {
  const op = field.oneOf(frame.head, "op", ["find", "check", "forward"]);
  const id = field.wholeNumber(frame.head, "id");
  if (op !== "forward") return { op, id, address: field.address(frame.head, "address") };
  return {
    op,
    id,
    sender: field.address(frame.head, "sender"),
    recipients: field.addresses(frame.head, "recipients"),
  };
}

/** Throws ProtocolError. */
export function parseForwardReply({ head }: Frame): ForwardReply {
  return { sender: field.address(head, "sender") };
}

/** Throws ProtocolError. */
export function parseGetpwReply(frame: Frame): GetpwReply {
  const kind = field.oneOf(frame.head, "kind", ["account", "exists", "none", "possible", "unsure"]);
  if (kind !== "account") return { kind };
  return {
    kind,
    isVirtual: field.flag(frame.head, "isVirtual"),
    domain: field.text(frame.head, "domain", 300),
    user: field.text(frame.head, "user"),
    uid: field.wholeNumber(frame.head, "uid"),
    gid: field.wholeNumber(frame.head, "gid"),
    home: field.text(frame.head, "home"),
    dash: field.text(frame.head, "dash"),
    extension: field.text(frame.head, "extension"),
  };
}
