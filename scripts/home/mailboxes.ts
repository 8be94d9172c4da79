/**
 * Changes of `users/passwd`: one at a time, and each is written beside the old file and put in its place, so that
 * qmail-getpw reads it whole or not at all.
 * @module
 */
import fs from "node:fs";
import { existsSync } from "@std/fs";
import { dirname, join } from "@std/path";
import type { Home } from "../../config/home.ts";
import { isDomain } from "../../config/values.ts";
import { ifThere } from "../../components/lib/disk/if_there.ts";
import type { Ids } from "../../components/lib/permissions/grant.ts";
import { formatPasswdEntry, isMailboxName, type PasswdEntry } from "../../components/lib/users/passwd_file.ts";
import { preparingIds } from "./prepare.ts";

export interface NewMailbox {
  readonly name: string;
  readonly domain: string;
  /** With its scheme in braces; "" lets nobody log in. */
  readonly password: string;
  /** The same password's secret for SCRAM. */
  readonly scram?: string | undefined;
}

/** `NAME@DOMAIN` in parts, lower-cased; what is wrong with it otherwise. */
export function splitMailbox(address: string): { name: string; domain: string } | string {
  const at = address.lastIndexOf("@");
  const [name, domain] = [address.slice(0, Math.max(at, 0)).toLowerCase(), address.slice(at + 1).toLowerCase()];
  if (at < 0 || !isDomain(domain)) return `${JSON.stringify(address)} is no NAME@DOMAIN`;
  if (!isMailboxName(name)) {
    return `${
      JSON.stringify(name)
    } cannot name a mailbox: letters, digits and . _ + = ~ - only, no dot in front, at most 64`;
  }
  return { name, domain };
}

export function readPasswdLines(home: Home): string[] {
  return existsSync(home.users("passwd"))
    ? Deno.readTextFileSync(home.users("passwd")).split("\n").filter((line) => line !== "")
    : [];
}

/**
 * Does `work` while no other `deno task user` of this home changes anything. It reads what it changes itself: what was
 * read before may be out of date. The lock is on the folder and goes with the process.
 */
export function whileLocked<T>(home: Home, work: () => T): T {
  using folder = Deno.openSync(home.users(""), { read: true });
  folder.lockSync(true);
  return work();
}

interface NewFile {
  readonly mode: number;
  /** Who is to own it, where root writes. */
  readonly owner?: Ids | undefined;
}

/**
 * Puts a file of this text in the place of `path`, whole and on stable storage. The folder may be someone else's than the
 * one who writes, and he could have put a link there: none is followed.
 */
export function replaceFile(path: string, text: string, { mode, owner }: NewFile): void {
  const fresh = `${path}.new`;
  ifThere(() => Deno.removeSync(fresh));
  const file = fs.openSync(fresh, "wx", mode);
  try {
    fs.writeFileSync(file, text);
    if (owner !== undefined) fs.fchownSync(file, owner.uid, owner.gid);
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
  Deno.renameSync(fresh, path);
  using folder = Deno.openSync(dirname(path), { read: true });
  folder.syncSync();
}

/** Call it {@link whileLocked}, with lines that were read so. */
export function writePasswdLines(home: Home, lines: readonly string[]): void {
  const text = lines.map((line) => `${line}\n`).join("");
  replaceFile(home.users("passwd"), text, { mode: 0o600, owner: preparingIds()?.qmailp });
}

/** Adds mailboxes and their Maildirs; answers the entries. The caller has seen to it that there are none of the names. */
export function addMailboxes(home: Home, mailboxes: readonly NewMailbox[]): readonly PasswdEntry[] {
  const owner = preparingIds()?.vmail ?? { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
  const entries = mailboxes.map(({ name, domain, password, scram }): PasswdEntry => {
    const secret = scram === undefined ? {} : { scram };
    return { name, domain, password, ...owner, home: home.mail(domain, name), ...secret };
  });
  for (const entry of entries) makeMaildir(home, entry, Deno.uid() === 0);
  writePasswdLines(home, [...readPasswdLines(home), ...entries.map(formatPasswdEntry)]);
  return entries;
}

function makeMaildir(home: Home, { domain, name, uid, gid }: PasswdEntry, chown: boolean): void {
  const below = [[domain], [domain, name], ...["", "tmp", "new", "cur"].map((dir) => [domain, name, "Maildir", dir])];
  for (const parts of below) {
    const path = join(home.mail(), ...parts);
    if (ifThere(() => Deno.lstatSync(path)) === undefined) Deno.mkdirSync(path, { mode: 0o700 });
    // The mailboxes' owner could have put a link there, to be given what it leads to.
    if (!Deno.lstatSync(path).isDirectory) throw new Error(`${path} is there and is no folder`);
    if (chown) fs.lchownSync(path, uid, gid);
  }
}

/**
 * Makes `domain` one that is delivered here and accepted from outside; answers whether anything had to change. `me` is
 * this host's name.
 */
export function addDomain(home: Home, me: string, domain: string): boolean {
  const added = (["locals", "rcpthosts"] as const).map((file) => {
    const path = ifThere(() => Deno.realPathSync(home.control(file))) ?? home.control(file);
    const isThere = existsSync(path);
    // Without a file, locals is the host's own name: that one must not be lost by making the file.
    const before = isThere ? Deno.readTextFileSync(path) : file === "locals" ? `${me}\n` : "";
    if (before.split("\n").some((line) => line.trim().toLowerCase() === domain)) return false;
    const mode = isThere ? (Deno.statSync(path).mode ?? 0o644) & 0o777 : 0o644;
    replaceFile(path, `${before}${before === "" || before.endsWith("\n") ? "" : "\n"}${domain}\n`, { mode });
    return true;
  });
  return added.includes(true);
}
