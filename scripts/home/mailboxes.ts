/**
 * Changes of `users/passwd`: the file is written beside the old one and put in its place, so that qmail-getpw reads it
 * whole or not at all.
 * @module
 */
import { ensureDirSync, existsSync } from "@std/fs";
import { dirname } from "@std/path";
import type { Home } from "../../config/home.ts";
import { isDomain } from "../../config/values.ts";
import { formatPasswdEntry, isMailboxName, type PasswdEntry } from "../../components/lib/users/passwd_file.ts";
import { preparingIds } from "./prepare.ts";

export interface NewMailbox {
  readonly name: string;
  readonly domain: string;
  /** With its scheme in braces; "" lets nobody log in. */
  readonly password: string;
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

export function writePasswdLines(home: Home, lines: readonly string[]): void {
  const path = home.users("passwd");
  const fresh = `${path}.new`;
  Deno.writeTextFileSync(fresh, lines.map((line) => `${line}\n`).join(""), { mode: 0o600 });
  const ids = preparingIds();
  if (ids !== undefined) Deno.chownSync(fresh, ids.qmailp.uid, ids.qmailp.gid);
  const handle = Deno.openSync(fresh, { read: true });
  handle.syncSync();
  handle.close();
  Deno.renameSync(fresh, path);
}

/** Adds a mailbox and its Maildir; answers the entry. The caller has seen to it that there is none of the name. */
export function addMailbox(home: Home, { name, domain, password }: NewMailbox): PasswdEntry {
  const ids = preparingIds();
  const owner = ids?.vmail ?? { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
  const entry: PasswdEntry = { name, domain, password, ...owner, home: home.mail(domain, name) };
  makeMaildir(home, entry, ids !== undefined);
  writePasswdLines(home, [...readPasswdLines(home), formatPasswdEntry(entry)]);
  return entry;
}

function makeMaildir(home: Home, entry: PasswdEntry, chown: boolean): void {
  const maildir = `${entry.home}/Maildir`;
  for (const dir of ["tmp", "new", "cur"]) ensureDirSync(`${maildir}/${dir}`);
  const made = [dirname(entry.home), entry.home, maildir, ...["tmp", "new", "cur"].map((dir) => `${maildir}/${dir}`)];
  for (const path of made) {
    if (path === home.mail()) continue;
    Deno.chmodSync(path, 0o700);
    if (chown) Deno.chownSync(path, entry.uid, entry.gid);
  }
}

/**
 * Makes `domain` one that is delivered here and accepted from outside; answers whether anything had to change. `me` is
 * this host's name.
 */
export function addDomain(home: Home, me: string, domain: string): boolean {
  const added = (["locals", "rcpthosts"] as const).map((file) => {
    const path = home.control(file);
    // Without a file, locals is the host's own name: that one must not be lost by making the file.
    const before = existsSync(path) ? Deno.readTextFileSync(path) : file === "locals" ? `${me}\n` : "";
    if (before.split("\n").some((line) => line.trim().toLowerCase() === domain)) return false;
    Deno.writeTextFileSync(path, `${before}${before === "" || before.endsWith("\n") ? "" : "\n"}${domain}\n`);
    return true;
  });
  return added.includes(true);
}
