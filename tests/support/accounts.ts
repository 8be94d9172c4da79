/**
 * Two accounts for a system that root starts: numbers that no account of the machine has, known by users/cdb alone, each
 * with a home beside the system's.
 * @module
 */
import { assert } from "@std/assert";
import { dirname } from "@std/path";
import { writeCdb } from "../../components/lib/cdb/files.ts";
import { compileAssign } from "../../components/lib/users/assign.ts";
import type { Home } from "../../config/home.ts";

export const ids = { dora: 47_001, finn: 47_002 } as const;
export type User = keyof typeof ids;

export const homeOf = (home: Home, user: User) => `${dirname(home.dir)}/${user}`;

export function give(path: string, user: User, mode: number): void {
  Deno.chownSync(path, ids[user], ids[user]);
  Deno.chmodSync(path, mode);
}

/** The two homes with a Maildir and a secret each, users/cdb and control/userhomes. */
export function prepareAccounts(home: Home): void {
  for (const user of Object.keys(ids) as User[]) {
    const userHome = homeOf(home, user);
    for (const folder of ["", "/Maildir", "/Maildir/tmp", "/Maildir/new", "/Maildir/cur"]) {
      Deno.mkdirSync(userHome + folder);
      give(userHome + folder, user, folder === "" ? 0o711 : 0o700);
    }
    Deno.writeTextFileSync(`${userHome}/secret`, `of ${user}\n`);
    give(`${userHome}/secret`, user, 0o600);
  }
  const lines = (Object.keys(ids) as User[]).flatMap((user) => {
    const account = `${user}:${ids[user]}:${ids[user]}:${homeOf(home, user)}`;
    return [`=${user}:${account}:::`, `+${user}-:${account}:-::`];
  });
  const compiled = compileAssign(`${lines.join("\n")}\n.\n`);
  assert(compiled.ok);
  Deno.mkdirSync(home.users(""));
  using file = Deno.openSync(home.users("cdb"), { create: true, write: true });
  writeCdb(file, compiled.value);
  Deno.writeTextFileSync(home.control("userhomes"), `${dirname(home.dir)}\n`);
}
