/**
 * Accounts of the system, from /etc/passwd, and whose mail a local part is by qmail-getpw's rules: the longest beginning
 * before a `-` that names an account with a home of its own. uid 0 never gets mail, nor does a name with capitals or of
 * more than 31 octets; for whom nobody is found, the account alias is responsible.
 *
 * Unlike qmail: accounts that the system has from elsewhere (NIS, LDAP) are not asked for; users/assign can name them.
 * @module
 */
import { decodeUtf8, lowerCaseAscii } from "../address/parse_domain.ts";
import { type Account, type Controlled, parseId } from "./account.ts";

/** By name, an octet string; of lines with one name the first. */
export type SystemAccounts = ReadonlyMap<string, Account>;

/** Reads passwd(5), an octet string; lines that are none are skipped, as the system does. */
export function parseSystemPasswd(text: string): SystemAccounts {
  const accounts = new Map<string, Account>();
  for (const line of text.split("\n")) {
    const account = parsePasswdLine(line);
    if (account !== undefined && !accounts.has(account.user)) accounts.set(account.user, account);
  }
  return accounts;
}

/** One line `name:password:uid:gid:gecos:home:shell`, or undefined. */
export function parsePasswdLine(line: string): Account | undefined {
  const fields = line.split(":");
  const [user = "", , uidText = "", gidText = "", , homeOctets = ""] = fields;
  const [uid, gid, home] = [parseId(uidText), parseId(gidText), decodeUtf8(homeOctets)];
  if (fields.length < 7 || user === "" || uid === undefined || gid === undefined) return undefined;
  return home?.startsWith("/") ? { user, uid, gid, home } : undefined;
}

/** The owner's uid of a home; `absent`: there is none, or none to be seen; `unsure`: that cannot be said at the moment. */
export type HomeOwner = (home: string) => number | "absent" | "unsure";

/** A longer name was never looked up. */
const longestName = 31;

/** Whose mail `local` (an octet string) is; undefined: nobody's, so alias's. */
export function findSystemUser(
  local: string,
  accounts: SystemAccounts,
  ownerOf: HomeOwner,
): Controlled | "unsure" | undefined {
  let end = local.length;
  while (end >= 0) {
    const account = end <= longestName ? accounts.get(lowerCaseAscii(local.slice(0, end))) : undefined;
    const owner = account === undefined || account.uid === 0 ? "absent" : ownerOf(account.home);
    if (owner === "unsure") return "unsure";
    if (account !== undefined && owner === account.uid) {
      const isWhole = end === local.length;
      return { ...account, dash: isWhole ? "" : "-", extension: isWhole ? "" : local.slice(end + 1) };
    }
    if (end === 0) break;
    end = local.lastIndexOf("-", end - 1);
  }
  return undefined;
}

/** Mail that is nobody else's. */
export function aliasFor(local: string, alias: Account): Controlled {
  return { ...alias, dash: "-", extension: local };
}
