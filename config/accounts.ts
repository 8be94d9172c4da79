/**
 * The user and group each component runs under when the whole was started by root: qmail's accounts where the machine
 * has them, otherwise numbers of their own, so that a container without them separates the components just as well.
 * @module
 */
import type { Account, Ids } from "../components/lib/permissions/grant.ts";

/** Accounts whose primary group is qmail's "qmail" (they share the queue); the others' is "nofiles". */
const inQmailGroup: readonly Account[] = ["qmailq", "qmailr", "qmails"];

const fallbackIds: Readonly<Record<Account, Ids>> = {
  root: { uid: 0, gid: 0 },
  alias: { uid: 7790, gid: 2107 },
  qmaild: { uid: 7791, gid: 2107 },
  qmaill: { uid: 7792, gid: 2107 },
  qmailp: { uid: 7793, gid: 2107 },
  qmailq: { uid: 7794, gid: 2108 },
  qmailr: { uid: 7795, gid: 2108 },
  qmails: { uid: 7796, gid: 2108 },
  vmail: { uid: 7797, gid: 7797 },
  qmailw: { uid: 7798, gid: 7798 },
};

/** Reads `name:x:uid:gid:` lines of passwd(5). */
export function accountIds(passwdText: string): Readonly<Record<Account, Ids>> {
  const found = new Map<string, Ids>();
  for (const line of passwdText.split("\n")) {
    const [name = "", , uid = "", gid = ""] = line.split(":");
    if (/^[0-9]+$/.test(uid) && /^[0-9]+$/.test(gid)) found.set(name, { uid: Number(uid), gid: Number(gid) });
  }
  const ids = (account: Account) => account === "root" ? fallbackIds.root : found.get(account) ?? fallbackIds[account];
  return Object.fromEntries(
    (Object.keys(fallbackIds) as Account[]).map((account) => [account, ids(account)]),
  ) as Record<Account, Ids>;
}

/** Whether the queue is this account's to share. */
export function sharesQueue(account: Account): boolean {
  return inQmailGroup.includes(account);
}
