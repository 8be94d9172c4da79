/**
 * What qmail-lspawn decides before and after a delivery.
 * @module
 */
import type { DeliveryReport } from "../lib/wire/delivery_protocol.ts";
import type { Controlling } from "../lib/wire/getpw_protocol.ts";

/** Which process a delivery needs: one for virtual mailboxes, or one for the home of such a mailbox or of an account. */
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

/** Octets of a report that qmail-send is told, and what stands at the end of one that was longer (qmail's interface). */
export const longestReport = 3000;
const cutMark = "\nError report too long, sorry.\n";

/** The report as qmail-send is told it. */
export function cutReport({ verdict, text }: DeliveryReport): DeliveryReport {
  return {
    verdict,
    text: text.length <= longestReport ? text : text.slice(0, longestReport - cutMark.length) + cutMark,
  };
}

/** How many deliveries one account may have under way, of all there may be: three others have room beside him. */
export function mostOfOneAccount(concurrencylocal: number): number {
  return Math.max(1, Math.floor(concurrencylocal / 4));
}
