/**
 * `deno task user`, as a child, on a home whose system runs: what it makes is there for the next message.
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { argon2Verify } from "hash-wasm";
import { waitForMailWith } from "../support/maildir.ts";
import { sendMail, SmtpClient } from "../support/smtp_client.ts";
import { startSystem, type System } from "../support/system.ts";
import { runTask, type TaskResult } from "../support/task.ts";
import { waitFor } from "../support/wait.ts";

const sender = "amy@example.org";
/** Dovecot's passwd-file: user, scheme and hash, uid, gid, gecos, home, shell, extra fields. */
const passwdLine =
  /^([^:@]+@[^:]+):(?:\{ARGON2ID\}(\$argon2id\$v=19\$m=19456,t=2,p=1\$[^:$]+\$[^:$]+))?:([0-9]+):([0-9]+)::(\/[^:]+)::(?:scram=\{SCRAM-SHA-256\}[^ ]+)?$/;

describe("deno task user", () => {
  let system: System;
  const user = (args: readonly string[], input = ""): Promise<TaskResult> =>
    runTask("user", [...args, "--home", system.home.dir], { input });
  const lineOf = (mailbox: string): RegExpExecArray | null => {
    const lines = Deno.readTextFileSync(system.home.users("passwd")).split("\n");
    return passwdLine.exec(lines.find((line) => line.startsWith(`${mailbox}:`)) ?? "");
  };
  const rcpt = async (recipient: string): Promise<number> => {
    using client = await SmtpClient.connect(system.ports["smtp"]!);
    await client.command(`MAIL FROM:<${sender}>`);
    return (await client.command(`RCPT TO:<${recipient}>`)).code;
  };
  const assertArrives = async (recipient: string, mailbox: string) => {
    const subject = crypto.randomUUID();
    await sendMail(system.ports["smtp"]!, { from: sender, to: [recipient], content: `Subject: ${subject}\n\nx\n` });
    assertStringIncludes(await waitForMailWith(system.home, subject, mailbox), `\nDelivered-To: ${recipient}\n`);
  };

  beforeAll(async () => {
    system = await startSystem({ controls: { relayclients: undefined } });
  });
  afterAll(() => system?.stop());

  it("add makes a mailbox of a local domain: mail arrives at once, for NAME-anything too", async () => {
    assertEquals(await rcpt("bob@localhost"), 550);
    const { code, stdout, stderr } = await user(["add", "bob@localhost"]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, `bob@localhost is a mailbox: ${system.home.mail("localhost", "bob")}/Maildir`);
    await assertArrives("bob@localhost", "bob@localhost");
    await assertArrives("bob-shop@localhost", "bob@localhost");
    assertEquals(lineOf("bob@localhost")?.[2], undefined);
  });

  it("add with a domain that is not ours yet makes it so, for the running system as well", async () => {
    assertEquals(await rcpt("eve@new.example"), 553);
    const { code, stdout, stderr } = await user(
      ["add", "Eve@New.example", "ian@new.example", "--password-stdin"],
      "a\n",
    );
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, "new.example is a local domain now (control/locals, control/rcpthosts)\n");
    assertEquals(Deno.readTextFileSync(system.home.control("locals")), "localhost\nnew.example\n");
    assertEquals(Deno.readTextFileSync(system.home.control("rcpthosts")), "localhost\nnew.example\n");
    await waitFor(async () => await rcpt("eve@new.example") === 250, "the new domain to be in force");
    await assertArrives("eve@new.example", "eve@new.example");
    await assertArrives("ian-x@new.example", "ian@new.example");
    await assertArrives("demo@localhost", "demo@localhost");
  });

  it("--password-stdin keeps the first line as an argon2id hash in Dovecot's format, passwd replaces it", async () => {
    assertEquals((await user(["add", "key@localhost", "--password-stdin"], "s3crêt phrase \nsecond\n")).code, 0);
    const before = lineOf("key@localhost");
    assert(before?.[2] !== undefined, Deno.readTextFileSync(system.home.users("passwd")));
    assert(await argon2Verify({ password: "s3crêt phrase ", hash: before[2] }), "the password fits");
    assert(!await argon2Verify({ password: "s3crêt phrase", hash: before[2] }), "another does not");
    assertEquals(before[5], system.home.mail("localhost", "key"));

    assertEquals((await user(["passwd", "key@localhost", "--password-stdin"], "other\n")).code, 0);
    const after = lineOf("key@localhost")!;
    assert(await argon2Verify({ password: "other", hash: after[2]! }), "the new password fits");
    assertEquals([after[1], ...after.slice(3)], [before[1], ...before.slice(3)]);
    assertEquals((await user(["passwd", "key@localhost", "--password-stdin"])).code, 0);
    assertEquals(lineOf("key@localhost")![2], undefined);
  });

  it("keeps users/passwd from everyone but its owner", () => {
    assertEquals((Deno.statSync(system.home.users("passwd")).mode ?? 0) & 0o077, 0);
  });

  it("list shows every mailbox and its Maildir, --json for programs, never a hash", async () => {
    const plain = await user(["list"]);
    assertStringIncludes(plain.stdout, `demo@localhost  ${system.home.mail("localhost", "demo", "Maildir")}\n`);
    const { stdout } = await user(["list", "--json"]);
    const rows = JSON.parse(stdout) as { mailbox: string; maildir: string; canLogIn: boolean }[];
    assertEquals(rows.slice(0, 2).map((row) => [row.mailbox, row.canLogIn]), [["demo@localhost", false], [
      "postmaster@localhost",
      false,
    ]]);
    assertEquals(rows.find((row) => row.mailbox === "eve@new.example"), {
      mailbox: "eve@new.example",
      maildir: system.home.mail("new.example", "eve", "Maildir"),
      canLogIn: true,
    });
    assert(!(plain.stdout + stdout).includes("argon2"), "a hash is shown");
  });

  it("del ends a mailbox (550 within a second) and leaves its mail", async () => {
    assertEquals((await user(["add", "gone@localhost"])).code, 0);
    await assertArrives("gone@localhost", "gone@localhost");
    const { code, stdout } = await user(["del", "gone@localhost"]);
    assertEquals([code, stdout], [0, "gone@localhost is no mailbox any more; its mail was left where it is\n"]);
    // qmail-smtpd remembers for a second that there was one.
    await waitFor(async () => await rcpt("gone@localhost") === 550, "the mailbox to be refused");
    const left = Deno.readDirSync(system.home.mail("localhost", "gone", "Maildir", "new"));
    assertEquals(Array.from(left).length, 1);
  });

  it("refuses a mailbox that is there, one that is not, and a name that cannot be one, and changes nothing", async () => {
    const before = Deno.readTextFileSync(system.home.users("passwd"));
    const rows: readonly (readonly [readonly string[], string])[] = [
      [["add", "demo@localhost"], "demo@localhost is there already"],
      [["add", "fine@localhost", "DEMO@localhost"], "demo@localhost is there already"],
      [["add", "fine@localhost", "Fine@localhost"], "fine@localhost is named twice"],
      [["add"], "NAME@DOMAIN is missing"],
      [["add", "nobody"], '"nobody" is no NAME@DOMAIN'],
      [["add", "a@b..c"], '"a@b..c" is no NAME@DOMAIN'],
      [["add", "../x@localhost"], '"../x" cannot name a mailbox'],
      [["add", ".x@localhost"], '".x" cannot name a mailbox'],
      [["add", "a:b@localhost"], '"a:b" cannot name a mailbox'],
      [["add", "a b@localhost"], '"a b" cannot name a mailbox'],
      [["add", `${"x".repeat(65)}@localhost`], "cannot name a mailbox"],
      [["passwd", "none@localhost"], `there is no none@localhost in ${system.home.users("passwd")}`],
      [["del", "none@localhost"], `there is no none@localhost in ${system.home.users("passwd")}`],
      [["remove", "demo@localhost"], "remove is not known"],
    ];
    const results = await Promise.all(rows.map(([args]) => user(args)));
    rows.forEach(([args, want], at) => {
      const { code, stderr } = results[at]!;
      assertEquals(code, 100, args.join(" "));
      assertStringIncludes(stderr, want);
    });
    assertEquals(Deno.readTextFileSync(system.home.users("passwd")), before);
  });
});
