/**
 * What a start makes for the addresses that every host has.
 * @module
 */
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { accountIds } from "../../config/accounts.ts";
import { type Home, homeAt } from "../../config/home.ts";
import { prepareFolders, prepareMailboxes } from "../../scripts/home/prepare.ts";
import { waitForMailWith } from "../support/maildir.ts";
import { sendMail, SmtpClient } from "../support/smtp_client.ts";
import { makeBaseDir, startSystem } from "../support/system.ts";

const forward = "&postmaster@mx.example\n";

describe("prepareMailboxes()", () => {
  let base: string;
  let home: Home;
  const alias = (address: string) => join(home.dir, "alias", `.qmail-${address}`);
  const made = () => Array.from(Deno.readDirSync(join(home.dir, "alias")), ({ name }) => name).toSorted();

  beforeEach(() => {
    base = makeBaseDir();
    home = homeAt(join(base, "h"));
    prepareFolders(home);
  });
  afterEach(() => Deno.removeSync(base, { recursive: true }));

  it("makes alias's files for the standard addresses, alias's own and writable by nobody else", () => {
    prepareMailboxes(home, "mx.example");
    assertEquals(made(), [".qmail-mailer-daemon", ".qmail-postmaster", ".qmail-root"]);
    const owner = Deno.uid() === 0 ? accountIds(Deno.readTextFileSync("/etc/passwd")).alias.uid : Deno.uid();
    for (const address of ["mailer-daemon", "postmaster", "root"]) {
      assertEquals(Deno.readTextFileSync(alias(address)), forward);
      const info = Deno.statSync(alias(address));
      assertEquals([info.uid, (info.mode ?? 0) & 0o022], [owner, 0]);
    }
  });

  it("leaves what is there, a link that leads nowhere included", () => {
    Deno.writeTextFileSync(alias("root"), "&admin@mx.example\n");
    Deno.symlinkSync(join(base, "victim"), alias("postmaster"));
    Deno.symlinkSync(join(base, "victim"), alias("mailer-daemon.new"));
    prepareMailboxes(home, "mx.example");
    prepareMailboxes(home, "mx.example");
    assertEquals(Deno.readTextFileSync(alias("root")), "&admin@mx.example\n");
    assertEquals(Deno.readTextFileSync(alias("mailer-daemon")), forward);
    assert(Deno.lstatSync(alias("postmaster")).isSymlink);
    assertEquals(made(), [".qmail-mailer-daemon", ".qmail-postmaster", ".qmail-root"]);
    assert(!Array.from(Deno.readDirSync(base), ({ name }) => name).includes("victim"));
  });

  it("makes none where this host's postmaster has no mailbox: they would lead to themselves", () => {
    Deno.writeTextFileSync(home.users("passwd"), "amy@mx.example::1:1::\n");
    prepareMailboxes(home, "mx.example");
    assertEquals(made(), []);
  });
});

describe("a system with an embedded default", () => {
  it("takes mail for the standard addresses of every local domain, and for no other; the postmaster gets it", async () => {
    await using system = await startSystem({ controls: { locals: "localhost\nb.example\n" } });
    const content = "Subject: standard\n\nx\n";
    await sendMail(system.ports["smtp"]!, { from: "demo@localhost", to: ["Root@b.example"], content });
    const mail = await waitForMailWith(system.home, "Subject: standard", "postmaster@localhost");
    assertStringIncludes(mail, "Delivered-To: Root@b.example\n");
    const rcpt = async (recipient: string): Promise<number> => {
      using client = await SmtpClient.connect(system.ports["smtp"]!);
      await client.command("MAIL FROM:<demo@localhost>");
      return (await client.command(`RCPT TO:<${recipient}>`)).code;
    };
    for (const address of ["root@localhost", "Mailer-Daemon@b.example", "postmaster@b.example", "demo@localhost"]) {
      assertEquals(await rcpt(address), 250, address);
    }
    for (const address of ["abuse@localhost", "root-x@localhost", "demo@b.example", "alias@localhost"]) {
      assertEquals(await rcpt(address), 550, address);
    }
  });
});
