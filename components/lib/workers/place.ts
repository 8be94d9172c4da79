/**
 * Which process of a user something needs, and whether his home can be named to a launcher.
 * @module
 */
import type { Controlling } from "../wire/getpw_protocol.ts";

/** Which process is needed: one for virtual mailboxes, or one for the home of such a mailbox or of an account. */
export type Kind = "virtual" | "mailbox" | "account" | "programs";

/** `mailRoot`: where virtual mailboxes lie that all share one process. One elsewhere has a process for its home. */
export function kindOf({ isVirtual, home }: Controlling, mailRoot: string): "virtual" | "mailbox" | "account" {
  if (!isVirtual) return "account";
  return home.startsWith(`${mailRoot}/`) ? "virtual" : "mailbox";
}

/** What a process is found by. */
export function keyOf(kind: Kind, { uid, gid, home }: Controlling): string {
  return kind === "virtual" ? `${kind}:${uid}:${gid}` : `${kind}:${uid}:${gid}:${home}`;
}

/**
 * Whether a home can be given to the launcher, which looks at it again: an absolute path in its plain form, other than
 * `/`, without a comma or a line end, which deno's flags cannot carry.
 */
export function isUsableHome(home: string): boolean {
  if (!home.startsWith("/") || home.endsWith("/") || /[,\n\0]/.test(home)) return false;
  return !home.slice(1).split("/").some((part) => part === "" || part === "." || part === "..");
}
