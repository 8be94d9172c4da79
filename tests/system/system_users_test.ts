/**
 * Accounts of the system at RCPT time: qmail-getpw under its own grant and, where root runs the tests, its own user.
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { dirname } from "@std/path";
import { fromOctets } from "../../components/lib/octets.ts";
import { rightsOf } from "../../components/lib/permissions/grant.ts";
import type { Account } from "../../components/lib/users/account.ts";
import { homeOwner } from "../../components/lib/users/home_owner.ts";
import { parseSystemPasswd } from "../../components/lib/users/system_passwd.ts";
import { manifest } from "../../components/qmail-getpw/permissions.ts";
import { readConfig } from "../../components/supervisor/config.ts";
import { outside, readAudit, unused } from "../support/audit.ts";
import { SmtpClient } from "../support/smtp_client.ts";
import { startSystem } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

/** One that owns a home which every user may see. */
function findAccount(): Account | undefined {
  const accounts = [...parseSystemPasswd(fromOctets(Deno.readFileSync("/etc/passwd"))).values()];
  return accounts.find(({ user, uid, home }) => {
    if (!/^[a-z]+$/.test(user) || uid === 0 || homeOwner(home) !== uid) return false;
    for (let dir = dirname(home); dir !== "/"; dir = dirname(dir)) {
      if (((Deno.statSync(dir).mode ?? 0) & 0o001) === 0) return false;
    }
    return true;
  });
}

const account = findAccount();
const missing = account === undefined ? " (skipped: no account in /etc/passwd has a home all may see)" : "";

describe("control/systemusers", { ignore: account === undefined }, () => {
  it(`lets accounts of the system have mail, from the reload on, with an exact grant${missing}`, async () => {
    if (account === undefined) return;
    await using system = await startSystem({ audit: true, controls: { userhomes: `${account.home}\n` } });
    const rcpt = async (local: string): Promise<number> => {
      using client = await SmtpClient.connect(system.ports["smtp"]!);
      await client.command("MAIL FROM:<demo@localhost>");
      return (await client.command(`RCPT TO:<${local}@localhost>`)).code;
    };
    assertEquals(await rcpt(account.user), 550);
    system.writeControl("systemusers", "1\n");
    const before = system.log.length;
    assertEquals(await system.reload(), []);
    await system.waitForLog((line) => line === "regranted component=qmail-getpw", 10_000, before);
    await system.waitUntilReady();
    // qmail-smtpd connects again; until then it answers 451.
    await waitFor(async () => await rcpt(account.user) === 250, "the account's mail to be taken");
    assertEquals(await rcpt("root"), 250);
    assertEquals(await rcpt("no.one"), 550);
    assertMatch(String(await rcpt(`${account.user}-no.such`)), /^(550|250)$/);

    const config = readConfig(system.home, 0);
    if (!("controls" in config)) throw new Error(config.join("; "));
    const rights = rightsOf(manifest.permissions(config), system.home);
    const asked = readAudit(system.auditDir, "qmail-getpw");
    assertEquals([outside(asked, rights), unused(asked, rights)], [[], []]);
  });
});
