/**
 * What qmail-getpw is asked (socket `qmail-getpw`): who gets mail for an address.
 *
 * `find` takes an address after rewriting (qmail-lspawn); the answer names the mailbox. `check` takes one as a client
 * gave it (the servers, at RCPT time); the answer says only whether there is such a mailbox.
 * @module
 */
import * as field from "./fields.ts";
import type { Frame } from "./frame.ts";

export interface GetpwRequest {
  readonly op: "find" | "check";
  readonly id: number;
  readonly address: string;
}

/** `none`: no such mailbox. `unsure`: the users' file cannot be read at the moment. */
export type GetpwReply =
  | {
    readonly kind: "mailbox";
    readonly maildir: string;
    readonly uid: number;
    readonly gid: number;
    readonly extension: string;
  }
  | { readonly kind: "exists" }
  | { readonly kind: "none" }
  | { readonly kind: "unsure" };

/** Throws ProtocolError. */
export function parseGetpwRequest(frame: Frame): GetpwRequest {
  return {
    op: field.oneOf(frame.head, "op", ["find", "check"]),
    id: field.wholeNumber(frame.head, "id"),
    address: field.address(frame.head, "address"),
  };
}

/** Throws ProtocolError. */
export function parseGetpwReply(frame: Frame): GetpwReply {
  const kind = field.oneOf(frame.head, "kind", ["mailbox", "exists", "none", "unsure"]);
  if (kind !== "mailbox") return { kind };
  return {
    kind,
    maildir: field.text(frame.head, "maildir"),
    uid: field.wholeNumber(frame.head, "uid"),
    gid: field.wholeNumber(frame.head, "gid"),
    extension: field.text(frame.head, "extension"),
  };
}
