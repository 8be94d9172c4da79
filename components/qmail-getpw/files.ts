/**
 * The files that say who there is, each as it stands when it is asked.
 * @module
 */
import { join } from "@std/path";
import type { Home } from "../../config/home.ts";
import { describeError } from "../lib/log/log.ts";
import { CdbFile } from "../lib/cdb/files.ts";
import { fromOctets } from "../lib/octets.ts";
import { ok } from "../lib/result.ts";
import type { Account, Controlled } from "../lib/users/account.ts";
import { findAssigned } from "../lib/users/assign.ts";
import { homeOwner, isAbsence } from "../lib/users/home_owner.ts";
import { parsePasswdFile, type PasswdFile } from "../lib/users/passwd_file.ts";
import { findSystemUser, parseSystemPasswd, type SystemAccounts } from "../lib/users/system_passwd.ts";
import type { Sources } from "./controlling.ts";
import { ChangingFile } from "../lib/disk/changing_file.ts";

const systemPasswdPath = "/etc/passwd";
const aliasUser = "alias";

export class Files implements Sources {
  readonly #aliasHome: string;
  readonly #systemUsers: () => boolean;
  readonly #virtual: ChangingFile<PasswdFile>;
  readonly #cdb: ChangingFile<CdbFile | "absent">;
  readonly #system: ChangingFile<SystemAccounts>;

  /** `systemUsers`: whether accounts of the system get mail. */
  constructor(home: Home, systemUsers: () => boolean) {
    this.#aliasHome = join(home.dir, "alias");
    this.#systemUsers = systemUsers;
    this.#virtual = new ChangingFile<PasswdFile>({
      path: home.users("passwd"),
      name: "users/passwd",
      absent: new Map(),
      read: (path) => parsePasswdFile(Deno.readTextFileSync(path)),
    });
    this.#cdb = new ChangingFile<CdbFile | "absent">({
      path: home.users("cdb"),
      name: "users/cdb",
      absent: "absent",
      // Only looked up in, never held: it may be large.
      read: (path) => ok(new CdbFile(path)),
      release: (cdb) => cdb === "absent" || cdb[Symbol.dispose](),
    });
    this.#system = new ChangingFile<SystemAccounts>({
      path: systemPasswdPath,
      name: systemPasswdPath,
      absent: new Map(),
      read: (path) => ok(parseSystemPasswd(fromOctets(Deno.readFileSync(path)))),
    });
  }

  virtual(): PasswdFile | "unsure" {
    return this.#virtual.current();
  }

  assigned(local: string): Controlled | "unsure" | undefined {
    const cdb = this.#cdb.current();
    if (cdb === "absent") return undefined;
    if (cdb === "unsure") return cdb;
    try {
      const found = findAssigned(cdb, local);
      if (found.ok) return found.value;
      this.#cdb.complain(found.error);
    } catch (error) {
      this.#cdb.complain(describeError(error));
    }
    return "unsure";
  }

  system(local: string): Controlled | "unsure" | undefined {
    if (!this.#systemUsers()) return undefined;
    const accounts = this.#system.current();
    return accounts === "unsure" ? accounts : findSystemUser(local, accounts, homeOwner);
  }

  /**
   * The folder `alias`, if there is one, as the account of that name where /etc/passwd may be asked and has it; else as
   * the folder's owner, whom the start has made the one that config/accounts.ts gives.
   */
  alias(): Account | "unsure" | undefined {
    try {
      const { uid, gid } = Deno.statSync(this.#aliasHome);
      const accounts = this.#systemUsers() ? this.#system.current() : undefined;
      if (accounts === "unsure" || uid === null || gid === null) return "unsure";
      const { uid: aliasUid, gid: aliasGid } = accounts?.get(aliasUser) ?? { uid, gid };
      return { user: aliasUser, uid: aliasUid, gid: aliasGid, home: this.#aliasHome };
    } catch (error) {
      return isAbsence(error) ? undefined : "unsure";
    }
  }
}
