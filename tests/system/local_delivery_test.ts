/**
 * Mail for accounts: two users of the machine's, known by users/cdb alone, each delivered to by a process of his own that
 * has his rights and no others.
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { existsSync } from "@std/fs";
import { writeCdb } from "../../components/lib/cdb/files.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import { compileAssign } from "../../components/lib/users/assign.ts";
import type { Home } from "../../config/home.ts";
import { give, homeOf, ids, prepareAccounts, type User } from "../support/accounts.ts";
import { waitForMailWith } from "../support/maildir.ts";
import { layOutForUser } from "../support/ordinary_user.ts";
import { isRunning, statusNumbers } from "../support/processes.ts";
import { sendMail, SmtpClient } from "../support/smtp_client.ts";
import { makeBaseDir, type OtherUser, startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

const isRoot = Deno.uid() === 0;
const skipped = isRoot ? "" : " (skipped: needs root)";
describe(`mail for accounts${skipped}`, { ignore: !isRoot }, () => {
  let system: System;

  const path = (user: User, below: string) => `${homeOf(system.home, user)}/${below}`;
  const write = (user: User, name: string, text: string) => {
    Deno.writeTextFileSync(path(user, name), text);
    give(path(user, name), user, 0o600);
  };
  const read = (user: User, name: string): string | undefined => {
    try {
      return fromOctets(Deno.readFileSync(path(user, name)));
    } catch {
      return undefined;
    }
  };
  const inbox = (user: User) =>
    Array.from(Deno.readDirSync(path(user, "Maildir/new")), ({ name }) => path(user, `Maildir/new/${name}`));
  const send = (to: string, subject = "a") =>
    sendMail(system.ports["smtp"]!, { from: "eve@localhost", to: [to], content: `Subject: ${subject}\n\nhello\n` });
  const locals = async () => (await system.status()).components.filter(({ name }) => name === "qmail-local");
  const pidOf = async (user: User): Promise<number | undefined> =>
    (await locals()).map(({ pid }) => pid!).find((pid) => isRunning(pid) && statusNumbers(pid, "Uid")[0] === ids[user]);

  beforeAll(async () => {
    // The homes lie beside the system's: getpw is told so below.
    system = await startSystem({
      controls: {
        concurrencylocal: "10\n",
        rcpthosts: "localhost\nd.example\ne.example\nf.example\n",
        virtualdomains: "d.example:dora\ne.example:demo\nf.example:nobody\nspecial@f.example:finn-spec\n",
      },
      prepare: prepareAccounts,
    });
  });
  afterAll(() => system?.stop());

  it("lands in each one's Maildir, as his own file, by a process with his ids and no groups", async () => {
    for (const user of ["dora", "finn"] as const) {
      await send(`${user}@localhost`);
      const [file] = await waitFor(() => inbox(user).length === 1 && inbox(user), `mail for ${user}`);
      const { uid, gid, mode } = Deno.statSync(file!);
      assertEquals([uid, gid, mode! & 0o777], [ids[user], ids[user], 0o600]);
      assertStringIncludes(Deno.readTextFileSync(file!), `\nDelivered-To: ${user}@localhost\n`);
      const pid = await waitFor(() => pidOf(user), `a qmail-local of ${user}`);
      assertEquals(statusNumbers(pid, "Uid"), Array(4).fill(ids[user]));
      assertEquals(statusNumbers(pid, "Groups"), []);
    }
  });

  it("is handed to a program that runs as that user and sees nothing of the others", async () => {
    const tried = [
      `${path("finn", "secret")}`,
      `${system.home.queue("journal")}`,
      `${system.home.users("cdb")}`,
      "/etc/shadow",
    ];
    write(
      "dora",
      ".qmail-prog",
      `|(id -u; id -G; cat secret) > seen; for f in ${
        tried.join(" ")
      }; do cat $f; done > stolen 2>/dev/null; ls ${system.home.mail()} >> stolen 2>/dev/null; true\n`,
    );
    await send("dora-prog@localhost");
    await waitFor(() => read("dora", "seen")?.includes("of dora"), "the program's output");
    assertEquals(read("dora", "seen"), `${ids.dora}\n${ids.dora}\nof dora\n`);
    await system.waitForLog((line) => line.includes("success: did_0+0+1/"));
    assertEquals(read("dora", "stolen"), "");
  });

  it("is never run by a shell because of its address", async () => {
    write("dora", ".qmail-default", '|echo "$DEFAULT" >> heard\n');
    const hostile = ["`touch x`", "$(touch x)", "|touch x", "&touch x&", "; touch x", "<x", "* ?"];
    for (const local of hostile) await send(`"dora-${local}"@localhost`);
    await waitFor(() => read("dora", "heard")?.trim().split("\n").length === hostile.length, "all deliveries");
    assertEquals(read("dora", "heard")!.trim().split("\n").sort(), hostile.toSorted());
    assertEquals(Array.from(Deno.readDirSync(homeOf(system.home, "dora"))).some(({ name }) => name === "x"), false);
    Deno.removeSync(path("dora", ".qmail-default"));
  });

  it("is forwarded through qmail-queue, which any user may reach", async () => {
    write("finn", ".qmail-out", "&demo@localhost\n");
    await send("finn-out@localhost", "forwarded");
    const mail = await waitForMailWith(system.home, "forwarded");
    assertStringIncludes(mail, "\nDelivered-To: finn-out@localhost\n");
    assertStringIncludes(mail, `invoked by uid ${ids.finn})`);
  });

  it("reaches the account, or the mailbox, that virtualdomains gives a whole domain to, whatever its local part", async () => {
    write("dora", ".qmail-default", '|echo "$DEFAULT $RECIPIENT" >> caught\n');
    const locals = ["info", "no-such", "UPPER"];
    for (const local of locals) await send(`${local}@d.example`);
    await waitFor(
      () => read("dora", "caught")?.trim().split("\n").length === locals.length,
      "all of the domain's mail",
    );
    const want = locals.map((local) => `${local} dora-${local}@d.example`);
    assertEquals(read("dora", "caught")!.trim().split("\n").sort(), want.sort());
    // A file of its own passes the one for the others.
    write("dora", ".qmail-info", "./info\n");
    await send("info@d.example", "own file");
    await waitFor(() => read("dora", "info")?.includes("Subject: own file"), "the mail in a file of its own");
    Deno.removeSync(path("dora", ".qmail-default"));
    await send("anybody@e.example", "for a mailbox");
    const mail = await waitForMailWith(system.home, "Subject: for a mailbox");
    assertStringIncludes(mail, "\nDelivered-To: demo-anybody@e.example\n");
    write("finn", ".qmail-spec-default", "./special\n");
    await send("special@f.example", "one address");
    await waitFor(
      () => read("finn", "special")?.includes("Delivered-To: finn-spec-special@f.example"),
      "one address's",
    );
    const client = await SmtpClient.connect(system.ports["smtp"]!);
    const { recipients } = await client.send({ from: "eve@localhost", to: ["other@f.example"], content: "A: b\n\n" });
    await client.quit();
    assertEquals(recipients.map(({ code }) => code), [550]);
  });

  it("of one whose program hangs delays nobody else's, and is tried again once qmail-local was killed", async () => {
    write("dora", ".qmail-hang", "|echo $$ >> hanging; [ -e go ] || sleep 1000\n");
    for (let count = 0; count < 8; count++) await send("dora-hang@localhost");
    await waitFor(() => read("dora", "hanging") !== undefined, "the hanging program");
    const before = inbox("finn").length;
    for (let count = 0; count < 12; count++) await send("finn@localhost");
    await send("demo@localhost", "virtual");
    await waitForMailWith(system.home, "Subject: virtual");
    await waitFor(() => inbox("finn").length === before + 12, "the mail of the other");
    const started = read("dora", "hanging")!.trim().split("\n").map(Number);
    assert(started.length <= 2, `${started.length} programs at once`);
    Deno.writeTextFileSync(path("dora", "go"), "");
    for (const { pid } of await locals()) {
      if (statusNumbers(pid!, "Uid")[0] === ids.dora) Deno.kill(pid!, "SIGKILL");
    }
    await waitFor(() => started.every((pid) => !isRunning(pid)), "the end of what hung");
    await system.waitForLog((line) => line.includes("success: did_0+0+1/"), 20_000, system.log.length);
  });

  it("leaves no program behind when the system stops, in time", async () => {
    write("finn", ".qmail-hang", "|(echo $$ > hanging; trap '' TERM; sleep 1000)\n");
    await send("finn-hang@localhost");
    const pid = await waitFor(() => Number(read("finn", "hanging") ?? "") || undefined, "the hanging program");
    assert(isRunning(pid));
    assertEquals(await system.end(), 0);
    await waitFor(() => !isRunning(pid), "its end");
  });
});

describe(`mail for accounts where an ordinary user started the system${skipped}`, { ignore: !isRoot }, () => {
  let system: System;
  let user: OtherUser;
  let dir: string;

  const path = (below: string) => `${dir}/me/${below}`;
  const giveHim = (what: string, mode: number) => {
    Deno.chownSync(what, user.uid, user.gid);
    Deno.chmodSync(what, mode);
  };
  const write = (name: string, text: string) => {
    Deno.writeTextFileSync(path(name), text);
    giveHim(path(name), 0o600);
  };
  const read = (name: string) => existsSync(path(name)) ? fromOctets(Deno.readFileSync(path(name))) : undefined;
  const send = (to: string, subject = "a") =>
    sendMail(system.ports["smtp"]!, { from: "eve@localhost", to: [to], content: `Subject: ${subject}\n\nhello\n` });

  /** `me` is that user; `finn` is somebody else, whose home he may even write into. */
  const prepareOwn = (home: Home) => {
    for (const folder of ["", "Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"]) {
      Deno.mkdirSync(path(folder));
      giveHim(path(folder), 0o700);
    }
    const me = `me:${user.uid}:${user.gid}:${dir}/me`;
    const finn = `finn:${ids.finn}:${ids.finn}:${dir}/me`;
    const compiled = compileAssign(`=me:${me}:::\n+me-:${me}:-::\n=finn:${finn}:::\n.\n`);
    assert(compiled.ok);
    Deno.mkdirSync(home.users(""));
    {
      using file = Deno.openSync(home.users("cdb"), { create: true, write: true });
      writeCdb(file, compiled.value);
    }
    for (const made of [home.users(""), home.users("cdb")]) giveHim(made, 0o755);
  };

  beforeAll(async () => {
    if (!isRoot) return;
    dir = makeBaseDir();
    user = await layOutForUser(dir);
    system = await startSystem({
      user,
      controls: { virtualdomains: "d.example:me\n", rcpthosts: "localhost\nd.example\n" },
      prepare: prepareOwn,
    });
  });
  afterAll(async () => {
    await system?.stop();
    if (dir !== undefined) Deno.removeSync(dir, { recursive: true });
  });

  it("is handed to his program, appended to his mbox, forwarded, and kept in his Maildir, all as him", async () => {
    write(".qmail", "|(id -u; pwd; echo $USER $HOME) > seen\n./mbox\n&demo@localhost\n./Maildir/\n");
    await send("me@localhost", "everything");
    const forwarded = await waitForMailWith(system.home, "Subject: everything");
    assertStringIncludes(forwarded, "\nDelivered-To: me@localhost\n");
    assertEquals(read("seen"), `${user.uid}\n${dir}/me\nme ${dir}/me\n`);
    assert(read("mbox")!.startsWith("From eve@localhost "), read("mbox"));
    const [file] = Array.from(Deno.readDirSync(path("Maildir/new")), ({ name }) => path(`Maildir/new/${name}`));
    for (const made of [file!, path("mbox"), path("seen")]) {
      const { uid, mode } = Deno.statSync(made);
      assertEquals([uid, mode! & 0o077], [user.uid, 0], made);
    }
    await system.waitForLog((line) => line.includes("success: did_2+1+1/"));
  });

  it("takes a whole domain by his .qmail-default", async () => {
    write(".qmail-default", '|echo "$DEFAULT" >> caught\n');
    await send("any.thing@d.example");
    await waitFor(() => read("caught") === "any.thing\n", "the domain's mail");
  });

  it("of somebody else is deferred with a clear word, and nothing of it is written as him", async () => {
    const before = Array.from(Deno.readDirSync(path("Maildir/new"))).length;
    await send("finn@localhost", "not mine");
    await system.waitForLog((line) =>
      line.includes("deferral: Unable_to_become_the_mailbox's_owner:_not_started_by_root._(#4.3.0)/")
    );
    assertEquals(Array.from(Deno.readDirSync(path("Maildir/new"))).length, before);
    assert(!read("mbox")!.includes("not mine"));
  });
});
