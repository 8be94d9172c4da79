/**
 * The file of virtual mailboxes, `users/passwd`: Dovecot's passwd-file, one mailbox a line,
 * `name@domain:{SCHEME}hash:uid:gid::home::extra`. An empty home means `mail/domain/name`; an empty password lets nobody in.
 * The extra field holds `key=value` pairs parted by blanks: of them `scram=` is ours, the others are other programs'. Lines
 * that begin with `#` are comments.
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
  /** The secret for SCRAM (lib/sasl/scram_secret.ts), where there is one. */
  readonly scram?: string;
  /** Dovecot's word for a mailbox that nobody may log in to, whatever its password. */
  readonly nologin?: true;
}

/** By `name@domain`. */
export type PasswdFile = ReadonlyMap<string, PasswdEntry>;

/** Whether `name` can be a mailbox's: letters, digits and `.` `_` `+` `=` `~` `-`, not beginning with a dot, at most 64. */
export function isMailboxName(name: string): boolean {
  return /^[a-z0-9_+=~-][a-z0-9._+=~-]{0,63}$/.test(name);
}

const scramKey = "scram=";
/** Where a line's extra field begins; it may hold colons of its own. */
const extraField = 7;

function parseEntry(line: string): PasswdEntry | undefined {
  const [address = "", password = "", uid = "", gid = "", , home = "", , ...rest] = line.split(":");
  const at = address.lastIndexOf("@");
  const name = address.slice(0, Math.max(at, 0)).toLowerCase();
  const domain = address.slice(at + 1).toLowerCase();
  const numbers = [uid, gid].every((field) => /^[0-9]{1,10}$/.test(field));
  if (!isMailboxName(name) || !isDomain(domain) || !numbers || !(home === "" || home.startsWith("/"))) return undefined;
  const entry = { name, domain, password, uid: Number(uid), gid: Number(gid), home };
  return rest.length === 0 || rest[0] === "" ? entry : { ...entry, ...parseExtra(rest.join(":")) };
}

function parseExtra(extra: string): Pick<PasswdEntry, "scram" | "nologin"> {
  const words = wordsOf(extra);
  const scram = words.find((word) => word.startsWith(scramKey))?.slice(scramKey.length);
  const nologin = words.some((word) => word === "nologin" || /^nologin=(?!n)/i.test(word));
  return { ...(scram === undefined ? {} : { scram }), ...(nologin ? { nologin: true } : {}) };
}

function wordsOf(extra: string): readonly string[] {
  return extra.split(/[ \t]+/).filter((word) => word !== "");
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
  const extra = [
    ...(entry.scram === undefined ? [] : [scramKey + entry.scram]),
    ...(entry.nologin === true ? ["nologin"] : []),
  ].join(" ");
  return `${entry.name}@${entry.domain}:${entry.password}:${entry.uid}:${entry.gid}::${entry.home}::${extra}`;
}

/**
 * A line with another password, and its SCRAM secret (undefined: none, for one of an earlier password would let that in).
 * All other fields stay as they are, those of other programs too.
 */
export function replacePassword(line: string, password: string, scram: string | undefined): string {
  const [mailbox = "", , ...rest] = line.split(":");
  const fields = [mailbox, password, ...rest];
  const extra = wordsOf(fields.slice(extraField).join(":"));
  const hadSecret = extra.some((word) => word.startsWith(scramKey));
  if (scram === undefined && !hadSecret) return fields.join(":");
  const others = extra.filter((word) => !word.startsWith(scramKey));
  const words = scram === undefined ? others : [scramKey + scram, ...others];
  const first = Array.from({ length: extraField }, (_, at) => fields[at] ?? "");
  return [...first, words.join(" ")].join(":");
}
