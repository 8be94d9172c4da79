/**
 * Whether a login may read a mailbox, and as whom.
 * @module
 */
import type { Controlling } from "../lib/wire/getpw_protocol.ts";
import { isUsableHome, kindOf } from "../lib/workers/place.ts";

export interface House {
  /** control/me: what a login without a domain belongs to. */
  readonly me: string;
  /** Where the mailboxes lie that qmail-pop3d itself reads. */
  readonly mailRoot: string;
  /** `any`: root started this, which can become the owner. */
  readonly ownUid: number | "any";
}

/** What the process is started as; undefined: this login's mail is not read here. */
export type OwnerKind = "mailbox" | "account";

/**
 * A login is of the mailbox that is called as it is, and of no other: not of one whose extension address it is (`amy-list`
 * is delivered to amy), nor of one that users/assign gives its mail to under another name. A name of the system means the
 * account of that name in `me` alone; `amy@other.example` is somebody else. Never root's mail.
 */
export function ownerKindOf(login: string, found: Controlling, { me, mailRoot, ownUid }: House): OwnerKind | undefined {
  const { isVirtual, user, domain, dash, home, uid } = found;
  if (dash !== "" || `${user}@${isVirtual ? domain : me}` !== login || !isUsableHome(home)) return undefined;
  const kind = kindOf(found, mailRoot);
  if (kind === "virtual") return undefined;
  if (ownUid === "any") return uid === 0 ? undefined : kind;
  // Virtual mailboxes all belong to whoever started the mail server.
  return kind === "mailbox" || uid === ownUid ? kind : undefined;
}
