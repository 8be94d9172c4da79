/**
 * The file of virtual mailboxes, `users/passwd`: Dovecot's passwd-file, one mailbox a line,
 * `name@domain:{SCHEME}hash:uid:gid::home::`. An empty home means `mail/domain/name`; an empty password lets nobody in.
 * Lines that begin with `#` are comments.
 * @module
 */
import { isDomain } from "../../../config/values.ts";
import { err, ok, type Result } from "../result.ts";

export interface PasswdEntry {
  /** Lower-cased. */
  readonly name: string;
  readonly domain: string;
  /** With its scheme in braces; "" when nobody can log in. */
  readonly password: string;
  readonly uid: number;
  readonly gid: number;
  /** Absolute path, or "". */
  readonly home: string;
}

/** By `name@domain`. */
export type PasswdFile = ReadonlyMap<string, PasswdEntry>;

/** Whether `name` can be a mailbox's: letters, digits and `.` `_` `+` `=` `~` `-`, not beginning with a dot, at most 64. */
export function isMailboxName(name: string): boolean {
  return /^[a-z0-9_+=~-][a-z0-9._+=~-]{0,63}$/.test(name);
}

function parseEntry(line: string): PasswdEntry | undefined {
  const [address = "", password = "", uid = "", gid = "", , home = ""] = line.split(":");
  const at = address.lastIndexOf("@");
  const name = address.slice(0, Math.max(at, 0)).toLowerCase();
  const domain = address.slice(at + 1).toLowerCase();
  const numbers = [uid, gid].every((field) => /^[0-9]{1,10}$/.test(field));
  if (!isMailboxName(name) || !isDomain(domain) || !numbers || !(home === "" || home.startsWith("/"))) return undefined;
  return { name, domain, password, uid: Number(uid), gid: Number(gid), home };
}

/** Errors: the first line that is none, by number (never by its text: it may hold a password). */
export function parsePasswdFile(text: string): Result<PasswdFile, string> {
  const entries = new Map<string, PasswdEntry>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const entry = parseEntry(line);
    if (entry === undefined) return err(`line ${index + 1}: expected name@domain:{SCHEME}hash:uid:gid::home::`);
    const key = `${entry.name}@${entry.domain}`;
    if (!entries.has(key)) entries.set(key, entry);
  }
  return ok(entries);
}

export function formatPasswdEntry(entry: PasswdEntry): string {
  return `${entry.name}@${entry.domain}:${entry.password}:${entry.uid}:${entry.gid}::${entry.home}::`;
}
