/**
 * qmail-getpw LOCAL: prints whose mail a local part is among the accounts of the system, as qmail's program does: user,
 * uid, gid, home, dash and extension, a NUL behind each; the account alias for what is nobody's. Accounts whose homes lie
 * outside of control/userhomes are not seen. Exit codes: 0; 100 no LOCAL; 111 surprise; 115 a home cannot be looked at
 * for the moment; 116 there is no account alias; 118 /etc/passwd cannot be read.
 * @module
 */
import { describeError, flushLog, log } from "../lib/log/log.ts";
import { fromOctets, toOctets, utf8Octets } from "../lib/octets.ts";
import { runTool } from "../lib/process/tool.ts";
import { err, ok, type Result } from "../lib/result.ts";
import type { Controlled } from "../lib/users/account.ts";
import { homeOwner } from "../lib/users/home_owner.ts";
import {
  aliasFor,
  findSystemUser,
  type HomeOwner,
  parseSystemPasswd,
  type SystemAccounts,
} from "../lib/users/system_passwd.ts";
import { parseCaller } from "./support/caller.ts";

/** The account for `local` (an octet string). Errors: the exit code. */
export function getpw(local: string, accounts: SystemAccounts, ownerOf: HomeOwner): Result<Controlled, 115 | 116> {
  const found = findSystemUser(local, accounts, ownerOf);
  if (found === "unsure") return err(115);
  const alias = accounts.get("alias");
  return found !== undefined ? ok(found) : alias === undefined ? err(116) : ok(aliasFor(local, alias));
}

/** Six fields, a NUL behind each. An octet string. */
export function formatGetpw({ user, uid, gid, home, dash, extension }: Controlled): string {
  return [user, uid, gid, utf8Octets(home), dash, extension].map((field) => `${field}\0`).join("");
}

function readAccounts(): SystemAccounts | undefined {
  try {
    return parseSystemPasswd(fromOctets(Deno.readFileSync("/etc/passwd")));
  } catch (error) {
    log(`qmail-getpw: fatal: ${describeError(error)}`);
    return undefined;
  }
}

function main(): number {
  const [local] = parseCaller(Deno.args).args;
  if (local === undefined) return 100;
  const accounts = readAccounts();
  if (accounts === undefined) return 118;
  const found = getpw(local, accounts, homeOwner);
  if (!found.ok) return found.error;
  const octets = toOctets(formatGetpw(found.value));
  for (let at = 0; at < octets.length;) at += Deno.stdout.writeSync(octets.subarray(at));
  return 0;
}

if (import.meta.main) {
  await runTool("qmail-getpw", () => {
    const code = main();
    flushLog();
    Deno.exit(code);
  });
}
