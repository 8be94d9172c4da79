/**
 * qmail's users and groups: which of them a machine lacks, and the commands of the system that make and remove them.
 * @module
 */
import { accountIds, sharesQueue } from "../../config/accounts.ts";
import { type Account, accounts } from "../../components/lib/permissions/grant.ts";

export interface NewGroup {
  readonly name: string;
  /** Absent: the system chooses one. */
  readonly gid?: number;
}

export interface NewUser {
  readonly name: Account;
  readonly uid?: number;
  /** Name or number, as useradd takes it. */
  readonly group: string;
  /** As the machine itself names it. */
  readonly home: string;
}

export interface MissingAccounts {
  readonly groups: readonly NewGroup[];
  readonly users: readonly NewUser[];
}

/** passwd(5) and group(5) alike: name and number. */
function numbersByName(text: string): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [name = "", , number = ""] = line.split(":");
    if (/^[0-9]+$/.test(number)) numbers.set(name, Number(number));
  }
  return numbers;
}

/** The group of an account that is to be made; qmail has two, any other account has one of its own name. */
function groupName(account: Account, gid: number): string {
  if (sharesQueue(account)) return "qmail";
  return gid === accountIds("").qmaild.gid ? "nofiles" : account;
}

/**
 * What has to be made on a machine with these `passwd` and `group` files for a home at `prefix` (as the machine names
 * it). Numbers are those that dqmail takes where there are no accounts, unless they are someone else's.
 */
export function missingAccounts(passwd: string, group: string, prefix: string): MissingAccounts {
  const [users, groups] = [numbersByName(passwd), numbersByName(group)];
  const [uids, gids] = [new Set(users.values()), new Set(groups.values())];
  const ids = accountIds(passwd);
  const newGroups = new Map<string, NewGroup>();
  const groupOf = (account: Account): string => {
    const shares = sharesQueue(account);
    const sibling = shares ? accounts.find((one) => sharesQueue(one) && users.has(one)) : undefined;
    // Who is there already decides which group has the queue, whatever that is called.
    if (sibling !== undefined) return String(ids[sibling].gid);
    const name = groupName(account, ids[account].gid);
    if (!groups.has(name) && !newGroups.has(name)) {
      newGroups.set(name, { name, ...gids.has(ids[account].gid) ? {} : { gid: ids[account].gid } });
    }
    return name;
  };
  const homes: Partial<Record<Account, string>> = { alias: `${prefix}/alias`, vmail: `${prefix}/mail` };
  const newUsers = accounts.filter((account) => account !== "root" && !users.has(account)).map((name): NewUser => ({
    name,
    ...uids.has(ids[name].uid) ? {} : { uid: ids[name].uid },
    group: groupOf(name),
    home: homes[name] ?? prefix,
  }));
  return { groups: [...newGroups.values()], users: newUsers };
}

/** `--prefix` has the files below another root changed, without entering it. */
function below(root: string): string[] {
  return root === "/" ? [] : ["--prefix", root];
}

export function makeGroup({ name, gid }: NewGroup, root: string): string[] {
  return ["groupadd", ...below(root), "--system", ...gid === undefined ? [] : ["--gid", String(gid)], name];
}

export function makeUser({ name, uid, group, home }: NewUser, root: string): string[] {
  return [
    ...["useradd", ...below(root), "--system", "--no-create-home", "--no-user-group", "--no-log-init"],
    ...uid === undefined ? [] : ["--uid", String(uid)],
    ...["--gid", group, "--home-dir", home, "--shell", "/usr/sbin/nologin", name],
  ];
}

export function removeUser(name: string, root: string): string[] {
  return ["userdel", ...below(root), name];
}

export function removeGroup(name: string, root: string): string[] {
  return ["groupdel", ...below(root), name];
}
