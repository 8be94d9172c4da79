/**
 * POP3 for mailboxes that are not vmail's: accounts of the system, each read by a process of his own that has his rights
 * and, of his home, the Maildir alone; and virtual mailboxes whose home lies elsewhere.
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { Client } from "../../components/lib/wire/client.ts";
import type { Home } from "../../config/home.ts";
import { Pop3Client } from "../qmail-popup/pop3_client.ts";
import { give, homeOf, ids, prepareAccounts, type User } from "../support/accounts.ts";
import { type Attempt, placeProbe, probeHomeScript, runProbeAs } from "../support/grant_script.ts";
import { layOutForUser } from "../support/ordinary_user.ts";
import { isRunning, statusNumbers } from "../support/processes.ts";
import { sendMail } from "../support/smtp_client.ts";
import { makeBaseDir, startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

const isRoot = Deno.uid() === 0;
const skipped = isRoot ? "" : " (skipped: needs root)";
const listeners = "smtp 127.0.0.1:0\npop3 127.0.0.1:0\nadmin 127.0.0.1:0\n";

/** Whoever says "right" is let in, as whom he says he is. */
const checkpassword = `#!/bin/sh
tr '\\0' '\\n' <&3 | { read -r login; read -r password; [ "$password" = right ] || exit 1; }
`;

function writeProgram(home: Home): void {
  Deno.writeTextFileSync(`${home.dir}/check`, checkpassword);
  Deno.chmodSync(`${home.dir}/check`, 0o755);
  Deno.writeTextFileSync(home.control("checkpassword"), `${home.dir}/check\n`);
}

async function logIn(system: System, user: string): Promise<{ client: Pop3Client; reply: string | undefined }> {
  const client = await Pop3Client.connect(system.ports["pop3"]!);
  return { client, reply: await client.logIn(user, "right") };
}

async function enter(system: System, user: string): Promise<Pop3Client> {
  const { client, reply } = await logIn(system, user);
  if (reply !== "+OK ") throw new Error(`${reply}; the log was:\n${system.log.text()}`);
  return client;
}

/** The qmail-pop3d that there is beside the one for virtual mailboxes. */
async function ownersProcesses(system: System): Promise<number[]> {
  const { components } = await system.status();
  const [, ...others] = components.filter(({ name }) => name === "qmail-pop3d");
  return others.map(({ pid }) => pid!).filter((pid) => isRunning(pid));
}

describe(`POP3 for accounts${skipped}`, { ignore: !isRoot }, () => {
  let system: System;
  const maildir = (user: User, below: string) => `${homeOf(system.home, user)}/Maildir/${below}`;
  /** A message of long ago. */
  const put = (user: User, name: string, text: string) => {
    Deno.writeTextFileSync(maildir(user, name), text);
    Deno.utimeSync(maildir(user, name), 1_700_000_000, 1_700_000_000);
    give(maildir(user, name), user, 0o600);
  };
  const files = (user: User) =>
    ["new", "cur"].flatMap((part) => Array.from(Deno.readDirSync(maildir(user, part)), ({ name }) => `${part}/${name}`))
      .sort();
  const empty = (user: User) => files(user).forEach((file) => Deno.removeSync(maildir(user, file)));

  beforeAll(async () => {
    system = await startSystem({
      controls: { listeners },
      prepare: (home) => {
        prepareAccounts(home);
        writeProgram(home);
      },
    });
  });
  afterAll(() => system?.stop());

  it("hands each his own mail, by a process with his ids and no groups, and removes what he deletes", async () => {
    for (const user of ["dora", "finn"] as const) {
      await sendMail(system.ports["smtp"]!, {
        from: "eve@localhost",
        to: [`${user}@localhost`],
        content: `Subject: for ${user}\n\nhello\n`,
      });
      await waitFor(() => files(user).length === 1, `mail for ${user}`);
      put(user, "cur/1.kept:2,S", "Subject: kept\n\n");
      // Messages of the current second are not shown yet.
      await waitFor(async () => {
        using client = await enter(system, user);
        const stat = await client.ask("STAT");
        await client.ask("QUIT");
        return stat?.startsWith("+OK 2 ");
      }, "both messages to be shown");
      using client = await enter(system, user);
      await client.ask("UIDL");
      assertEquals((await client.lines())[0], "1 1.kept");
      await client.ask("RETR 2");
      assert((await client.lines()).includes(`Subject: for ${user}`));
      const pid = await waitFor(
        async () => (await ownersProcesses(system)).find((pid) => statusNumbers(pid, "Uid")[0] === ids[user]),
        "his process",
      );
      assertEquals(statusNumbers(pid, "Uid"), Array(4).fill(ids[user]));
      assertEquals(statusNumbers(pid, "Gid"), Array(4).fill(ids[user]));
      assertEquals(statusNumbers(pid, "Groups"), []);
      assertEquals(await client.ask("DELE 2"), "+OK ");
      assertEquals(await client.ask("QUIT"), "+OK ");
      assertEquals(files(user), ["cur/1.kept:2,S"]);
    }
  });

  it("has one process for the sessions of one account, each by itself", async () => {
    empty("dora");
    for (const number of [1, 2, 3]) put("dora", `new/${number}.a`, `Subject: ${number}\n\n`);
    const clients = await Promise.all(Array.from({ length: 5 }, () => enter(system, "dora")));
    for (const [at, client] of clients.entries()) if (at < 3) await client.ask(`DELE ${at + 1}`);
    for (const [at, client] of clients.entries()) {
      assertEquals(await client.ask("STAT"), at < 3 ? "+OK 3 24" : "+OK 3 36");
    }
    const owners = (await ownersProcesses(system)).filter((pid) => statusNumbers(pid, "Uid")[0] === ids.dora);
    assertEquals(owners.length, 1);
    assertEquals(await clients[1]!.ask("QUIT"), "+OK ");
    assertEquals(files("dora").map((file) => file.slice(4, 5)), ["1", "3"]);
    for (const client of clients) client[Symbol.dispose]();
  });

  it("keeps its process from other homes, from the rest of its own, and from everything else", async () => {
    put("finn", "cur/1.kept:2,S", "Subject: kept\n\n");
    const script = probeHomeScript(system, "qmail-pop3d-account", placeProbe(system));
    const home = homeOf(system.home, "dora");
    const attempts: Attempt[] = [
      ...["cur/1.kept:2,S", "new"].map((below): Attempt => ["read", maildir("finn", below)]),
      ["list", maildir("finn", "cur")],
      ["remove", maildir("finn", "cur/1.kept:2,S")],
      ["write", maildir("finn", "new/1.probe")],
      ["rename", maildir("finn", "cur/1.kept:2,S"), maildir("dora", "cur/1.kept")],
      ["symlink", maildir("finn", "cur"), maildir("dora", "cur/x")],
      ["read", `${home}/secret`],
      ["write", `${home}/.qmail`],
      ["list", home],
      ["read", "/etc/passwd"],
      ["list", system.home.mail()],
      ["read", system.home.users("passwd")],
      ["read", system.home.control("me")],
      ["connect", `127.0.0.1:${system.ports["smtp"]}`],
      ...["auth", "auth-tickets", "qmail-queue", "qmail-getpw", "qmail-pop3d", "qmail-pop3spawn"].map((
        name,
      ): Attempt => ["connectUnix", `${system.home.run(name)}/s`]),
      ["run", "/bin/true", "x"],
      ["run", system.home.libexec("launch", "qmail-pop3d"), "x"],
      ["env", "PATH"],
      ["ask", "read"],
    ];
    const who = { uid: ids.dora, gid: ids.dora };
    const { results } = await runProbeAs(who, ["/bin/sh", script, "--owner", home], attempts);
    assertEquals(results, attempts.map(() => "refused"));
    const held = [["list", maildir("dora", "cur")], ["write", maildir("dora", "tmp/probe")]] as const;
    const own = await runProbeAs(who, ["/bin/sh", script, "--owner", home], held);
    assertEquals(own.results, ["done", "done"]);
    // Nor would the kernel let it, whatever its flags.
    const cat = await new Deno.Command("cat", { args: [maildir("finn", "cur/1.kept:2,S")], ...who }).output();
    assert(!cat.success);
  });

  it("changes nothing when the process is killed in a session, says so, and starts another", async () => {
    empty("dora");
    for (const number of [1, 2]) put("dora", `new/${number}.a`, `Subject: ${number}\n\n`);
    using client = await enter(system, "dora");
    assertEquals(await client.ask("DELE 1"), "+OK ");
    const [pid] = (await ownersProcesses(system)).filter((pid) => statusNumbers(pid, "Uid")[0] === ids.dora);
    Deno.kill(pid!, "SIGKILL");
    await waitFor(() => !isRunning(pid!), "its end");
    assertEquals(await client.ask("QUIT"), "-ERR [SYS/TEMP] the mailbox went away");
    assertEquals(await client.line(), undefined);
    assertEquals(files("dora"), ["new/1.a", "new/2.a"]);
    await system.waitForLog((line) => line.includes("qmail-pop3d pid=") && line.includes("signal=SIGKILL"));
    using again = await enter(system, "dora");
    assertEquals(await again.ask("STAT"), "+OK 2 24");
  });

  it("goes on after qmail-pop3spawn was killed; what it had started ends with it", async () => {
    using client = await enter(system, "dora");
    const before = await ownersProcesses(system);
    assert(before.length > 0);
    await system.signal("qmail-pop3spawn", "SIGKILL");
    await waitFor(() => before.every((pid) => !isRunning(pid)), "the processes to end");
    assertMatch(await client.ask("NOOP") ?? "-ERR", /^-ERR/);
    await system.waitUntilReady();
    using again = await enter(system, "dora");
    assertMatch((await again.ask("STAT"))!, /^\+OK /);
  });

  it("reads nobody's mail for a login that only looks like him", async () => {
    const refused = "-ERR [SYS/PERM] this user's mail is not read here";
    const table = [
      ["dora@other.example", refused],
      ["dora-list", refused],
      ["root", refused],
      ["mailer-daemon", refused],
    ] as const;
    for (const [login, want] of table) {
      const { client, reply } = await logIn(system, login);
      assertMatch(reply!, /^-ERR /, login);
      assert(reply === want || reply === "-ERR [SYS/PERM] this user has no $HOME/Maildir", `${login}: ${reply}`);
      client[Symbol.dispose]();
    }
    const { client, reply } = await logIn(system, "DORA");
    assertEquals(reply, "+OK ");
    client[Symbol.dispose]();
  });

  it("follows no Maildir that is a symlink, and says where there is none", async () => {
    const home = homeOf(system.home, "dora");
    Deno.renameSync(`${home}/Maildir`, `${home}/Elsewhere`);
    for (const goal of [undefined, "Elsewhere", maildir("finn", "")]) {
      if (goal !== undefined) Deno.symlinkSync(goal, `${home}/Maildir`);
      const { client, reply } = await logIn(system, "dora");
      assertEquals(reply, "-ERR [SYS/PERM] this user has no $HOME/Maildir");
      client[Symbol.dispose]();
      if (goal !== undefined) Deno.removeSync(`${home}/Maildir`);
    }
    Deno.renameSync(`${home}/Elsewhere`, `${home}/Maildir`);
  });

  it("opens nothing without a ticket, and ends who does not follow the protocol", async () => {
    const wrong: readonly object[] = [{ op: "command", id: 1 }, { op: "open", id: 1 }, {}];
    for (const head of wrong) {
      const popup = new Client(system.home.socket("qmail-pop3spawn"));
      const pipe = (await popup.connect())!;
      pipe.send(head);
      await waitFor(() => pipe.closed, "the connection to end");
      popup.close();
    }
    const popup = new Client(system.home.socket("qmail-pop3spawn"));
    const { head } = await popup.request({ op: "open", ticket: "dora@localhost" });
    assertEquals([head["kind"], head["reason"]], ["refused", "ticket"]);
    popup.close();
  });
});

/** A mailbox of users/passwd beside the system's home. */
function prepareElsewhere(home: Home, uid: number): string {
  const userHome = `${home.dir}-eve`;
  for (const folder of ["", "/Maildir", "/Maildir/tmp", "/Maildir/new", "/Maildir/cur"]) {
    Deno.mkdirSync(userHome + folder);
    if (isRoot) Deno.chownSync(userHome + folder, uid, uid);
  }
  const file = `${userHome}/Maildir/new/1.a`;
  Deno.writeTextFileSync(file, "Subject: elsewhere\n\n");
  Deno.utimeSync(file, 1_700_000_000, 1_700_000_000);
  if (isRoot) Deno.chownSync(file, uid, uid);
  Deno.mkdirSync(home.users(""));
  Deno.writeTextFileSync(home.users("passwd"), `eve@localhost:{PLAIN}right:${uid}:${uid}::${userHome}::\n`);
  return userHome;
}

describe("POP3 for a virtual mailbox whose home is elsewhere", () => {
  async function readAndDelete(system: System): Promise<void> {
    using client = await enter(system, "eve");
    await client.ask("RETR 1");
    assertEquals(await client.lines(), ["Subject: elsewhere", "", ""]);
    assertEquals(await client.ask("DELE 1"), "+OK ");
    assertEquals(await client.ask("QUIT"), "+OK ");
    assertEquals(Array.from(Deno.readDirSync(`${system.home.dir}-eve/Maildir/new`)), []);
  }

  it("is read by a process that has that Maildir alone", async () => {
    await using system = await startSystem({
      controls: { listeners },
      prepare: (home) => void prepareElsewhere(home, ids.finn),
    });
    await readAndDelete(system);
    if (!isRoot) return;
    const [pid] = await ownersProcesses(system);
    assertEquals(statusNumbers(pid!, "Uid"), Array(4).fill(ids.finn));
  });

  it(`is so too where an ordinary user started the mail server, who can read no other account's mail${skipped}`, {
    ignore: !isRoot,
  }, async () => {
    const dir = makeBaseDir();
    try {
      const user = await layOutForUser(dir);
      await using system = await startSystem({
        user,
        controls: { listeners },
        prepare: (home) => {
          prepareElsewhere(home, user.uid);
          Deno.removeSync(home.users(""), { recursive: true });
          prepareAccounts(home);
          Deno.writeTextFileSync(
            home.users("passwd"),
            `eve@localhost:{PLAIN}right:${user.uid}:${user.gid}::${home.dir}-eve::\n`,
          );
          Deno.chownSync(home.users(""), user.uid, user.gid);
          for (const file of ["cdb", "passwd"]) Deno.chownSync(home.users(file), user.uid, user.gid);
          writeProgram(home);
        },
      });
      await readAndDelete(system);
      const { client, reply } = await logIn(system, "dora");
      assertEquals(reply, "-ERR [SYS/PERM] this user's mail is not read here");
      client[Symbol.dispose]();
    } finally {
      Deno.removeSync(dir, { recursive: true });
    }
  });
});
