/**
 * The accounts of the units, for systemd-sysusers(8): systemd starts nobody as an account that the machine does not have.
 * The numbers are those that a start by root takes where there are no such accounts.
 * @module
 */
import { accountIds } from "../../config/accounts.ts";
import { type Account, accounts } from "../../components/lib/permissions/grant.ts";

const groups = new Map([[2107, "nofiles"], [2108, "qmail"]]);

/** The lines of a file for sysusers.d. What is there already stays as it is. */
export function formatSysusers(homeDir: string): string {
  const ids = accountIds("");
  const own = accounts.filter((account): account is Exclude<Account, "root"> => account !== "root");
  const groupOf = (account: Account) => groups.get(ids[account].gid) ?? account;
  const all = new Map(own.map((account) => [groupOf(account), ids[account].gid]));
  return [
    `# Made by "dqmail units".`,
    ...Array.from(all, ([name, gid]) => `g ${name} ${gid}`),
    ...own.map((account) => {
      const dir = account === "alias" ? `${homeDir}/alias` : homeDir;
      return `u ${account} ${ids[account].uid}:${groupOf(account)} "dqmail" "${dir}"`;
    }),
    "",
  ].join("\n");
}
