/**
 * Mail for accounts: two users of the machine's, known by users/cdb alone, each delivered to by a process of his own that
 * has his rights and no others.
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { dirname } from "@std/path";
import { writeCdb } from "../../components/lib/cdb/files.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import { compileAssign } from "../../components/lib/users/assign.ts";
import type { Home } from "../../config/home.ts";
import { waitForMailWith } from "../support/maildir.ts";
import { isRunning, statusNumbers } from "../support/processes.ts";
import { sendMail } from "../support/smtp_client.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

const isRoot = Deno.uid() === 0;
const skipped = isRoot ? "" : " (skipped: needs root)";
/** Numbers that no account of the machine has. */
const ids = { dora: 47_001, finn: 47_002 } as const;
type User = keyof typeof ids;

const homeOf = (home: Home, user: User) => `${dirname(home.dir)}/${user}`;

function give(path: string, user: User, mode: number): void {
  Deno.chownSync(path, ids[user], ids[user]);
  Deno.chmodSync(path, mode);
}

/** The two homes with a Maildir each, and users/cdb. */
function prepare(home: Home): void {
  for (const user of Object.keys(ids) as User[]) {
    const userHome = homeOf(home, user);
    for (const folder of ["", "/Maildir", "/Maildir/tmp", "/Maildir/new", "/Maildir/cur"]) {
      Deno.mkdirSync(userHome + folder);
      give(userHome + folder, user, folder === "" ? 0o711 : 0o700);
    }
    Deno.writeTextFileSync(`${userHome}/secret`, `of ${user}\n`);
    give(`${userHome}/secret`, user, 0o600);
  }
  const lines = (Object.keys(ids) as User[]).flatMap((user) => {
    const account = `${user}:${ids[user]}:${ids[user]}:${homeOf(home, user)}`;
    return [`=${user}:${account}:::`, `+${user}-:${account}:-::`];
  });
  const compiled = compileAssign(`${lines.join("\n")}\n.\n`);
  assert(compiled.ok);
  Deno.mkdirSync(home.users(""));
  using file = Deno.openSync(home.users("cdb"), { create: true, write: true });
  writeCdb(file, compiled.value);
}

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
      prepare: (home) => {
        prepare(home);
        Deno.writeTextFileSync(home.control("userhomes"), `${dirname(home.dir)}\n`);
      },
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
