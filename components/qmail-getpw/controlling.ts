/**
 * The order in which qmail-getpw looks: virtual mailboxes, users/cdb, accounts of the system, alias. The first that
 * knows the address has it. What cannot be read makes the answer `unsure`, for a later source may not take mail that
 * could be an earlier one's.
 * @module
 */
import type { Home } from "../../config/home.ts";
import type { Account, Controlled } from "../lib/users/account.ts";
import type { PasswdFile } from "../lib/users/passwd_file.ts";
import { aliasFor } from "../lib/users/system_passwd.ts";
import type { RewriteRules } from "../lib/queue/rewrite.ts";
import type { Controlling } from "../lib/wire/getpw_protocol.ts";
import { findMailbox, type Found } from "./lookup.ts";

/** Where to look; each is read anew, or found unchanged, when it is asked for. */
export interface Sources {
  virtual(): PasswdFile | "unsure";
  assigned(local: string): Controlled | "unsure" | undefined;
  system(local: string): Controlled | "unsure" | undefined;
  alias(): Account | "unsure" | undefined;
}

export interface Rules {
  /** This host's name. */
  readonly me: string;
  readonly locals: RewriteRules["locals"];
  readonly home: Pick<Home, "mail">;
}

/** Whose mail a rewritten address (an octet string with a domain) is; undefined: nobody's. */
export function findControlling(address: string, rules: Rules, sources: Sources): Controlling | "unsure" | undefined {
  const virtual = sources.virtual();
  if (virtual === "unsure") return virtual;
  const mailbox = findMailbox(address, rules.me, rules.locals, virtual);
  if (mailbox !== undefined) return controllingVirtual(mailbox, rules.home);
  const local = address.slice(0, address.lastIndexOf("@"));
  const account = sources.assigned(local) ?? sources.system(local);
  if (account !== undefined) return account === "unsure" ? account : controllingAccount(account);
  const alias = sources.alias();
  return alias === undefined || alias === "unsure" ? alias : controllingAccount(aliasFor(local, alias));
}

function controllingVirtual({ entry, dash, extension }: Found, home: Rules["home"]): Controlling {
  const { name: user, domain, uid, gid } = entry;
  const userHome = entry.home === "" ? home.mail(entry.domain, entry.name) : entry.home;
  return { kind: "account", isVirtual: true, domain, user, uid, gid, home: userHome, dash, extension };
}

function controllingAccount(account: Controlled): Controlling {
  const { user, uid, gid, home, dash, extension } = account;
  return { kind: "account", isVirtual: false, domain: "", user, uid, gid, home, dash, extension };
}
