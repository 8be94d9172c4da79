/**
 * The programs about a user's own mailbox: maildirmake, maildir2mbox, maildirwatch, qbiff, and the readers' wrappers.
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { senderOf } from "../../components/tools/maildir2mbox.ts";
import { describeHead, formatScreen } from "../../components/tools/maildirwatch.ts";
import { announcement, terminalsOf } from "../../components/tools/qbiff.ts";
import { type Bin, makeBin } from "./support/bin.ts";
import { namespaceMissing, withBound } from "./support/namespace.ts";

describe("senderOf()", () => {
  const table = [
    { head: "Return-Path: <amy@a.example>\nX: y\n", want: "amy@a.example" },
    { head: "Return-Path: <>\n", want: "" },
    { head: 'Return-Path: <"a b"@c>\n', want: '"a b"@c' },
    { head: "Subject: x\nReturn-Path: <amy@a.example>\n", want: "" },
    { head: "Return-Path: <amy", want: "" },
  ];
  for (const { head, want } of table) it(`reads ${JSON.stringify(head)}`, () => assertEquals(senderOf(head), want));
});

describe("describeHead() and formatScreen()", () => {
  it("show who and what about, on one line", () => {
    const head = toOctets("To: x\nFrom: Amy <a@b>\nSubject: one\n two\n\nbody");
    assertEquals(describeHead(head), "Amy <a@b>: one two");
    assertEquals(formatScreen(["a", "b"]), "\x1b[;H\x1b[;J2 new messages\na\nb\n");
    assertEquals(formatScreen(Array(50).fill("x")).split("\n").length, 24);
  });

  it("let nothing through that steers a terminal", () => {
    fc.assert(fc.property(fc.uint8Array(), (octets) => {
      const head = new Uint8Array([...toOctets("Subject: "), ...octets]);
      assertMatch(describeHead(head), /^[ -~]{0,79}$/);
      assertMatch(
        announcement(...[1, 2, 3, 4].map(() => fromOctets(octets)) as [string, string, string, string]),
        /^[\r\n -~]*$/,
      );
    }));
  });
});

function utmpRecord(type: number, line: string, user: string): Uint8Array {
  const octets = new Uint8Array(384);
  new DataView(octets.buffer).setInt16(0, type, true);
  octets.set(toOctets(line), 8);
  octets.set(toOctets(user), 44);
  return octets;
}

describe("terminalsOf()", () => {
  it("finds the terminals of one user, and no other file", () => {
    const records = [
      utmpRecord(7, "pts/1", "amy"),
      utmpRecord(7, "tty2", "amy"),
      utmpRecord(7, "pts/1", "amy"),
      utmpRecord(8, "pts/3", "amy"),
      utmpRecord(7, "pts/4", "bob"),
      utmpRecord(7, "../etc/passwd", "amy"),
      utmpRecord(7, ":0", "amy"),
      new Uint8Array(100),
    ];
    const utmp = new Uint8Array(records.reduce((sum, { length }) => sum + length, 0));
    records.reduce((at, record) => (utmp.set(record, at), at + record.length), 0);
    assertEquals(terminalsOf(utmp, "amy"), ["pts/1", "tty2"]);
    assertEquals(terminalsOf(new Uint8Array(), "amy"), []);
  });
});

describe("announcement()", () => {
  it("is two lines, the second of 78 octets at the most", () => {
    assertEquals(
      announcement("amy", "bob@b", " hi\n", "you\nthere"),
      "\r\n*** TO <amy> FROM <bob@b>\r\nhi you there\r\n",
    );
    assertEquals(announcement("a", "b", "x".repeat(100), "").split("\r\n")[2]!.length, 78);
  });
});

describe("the mailbox programs", () => {
  let bin: Bin;
  beforeAll(() => {
    bin = makeBin([
      "maildirmake",
      "maildir2mbox",
      "maildirwatch",
      "qbiff",
      "qail",
      "elq",
      "pinq",
      "datemail",
      "predate",
    ]);
  });
  afterAll(() => bin?.[Symbol.dispose]());

  const deliver = (name: string, text: string, ageSeconds: number, folder = "new") => {
    const path = `${bin.dir}/Maildir/${folder}/${name}`;
    Deno.writeFileSync(path, toOctets(text));
    const seconds = 1_700_000_000 - ageSeconds;
    Deno.utimeSync(path, seconds, seconds);
  };
  const count = () => ["new", "cur"].flatMap((folder) => [...Deno.readDirSync(`${bin.dir}/Maildir/${folder}`)]).length;
  const env = () => ({ MAILDIR: `${bin.dir}/Maildir`, MAIL: "mbox" });

  it("maildirmake makes three folders for the owner alone, once", async () => {
    assertEquals(await bin.run("umask 0; maildirmake Maildir"), { code: 0, stdout: "", stderr: "" });
    for (const dir of ["", "/tmp", "/new", "/cur"]) {
      assertEquals(Deno.statSync(`${bin.dir}/Maildir${dir}`).mode! & 0o7777, 0o700);
    }
    const again = await bin.run("maildirmake Maildir");
    assertEquals(again.code, 111);
    assertStringIncludes(again.stderr, "maildirmake: fatal: unable to mkdir Maildir: ");
  });

  it("maildirmake may write nothing but what it is told to make", async () => {
    const script = Deno.readTextFileSync(bin.home.bin("maildirmake"));
    assertEquals(script.match(/--allow-\S*/g), ['--allow-write="$1"']);
    assertEquals((await bin.run("maildirmake ''")).code, 100);
    assertEquals((await bin.run("maildirmake")).code, 100);
    assertEquals((await bin.run("maildirmake a,/tmp")).code, 111);
  });

  it("maildir2mbox moves all, the oldest first, and quotes", async () => {
    deliver("2.b", "Return-Path: <amy@a.example>\n\nFrom me\n", 10);
    deliver("1.a:2,S", "Return-Path: <>\n\nolder\n", 20, "cur");
    deliver(".hidden", "x", 30);
    Deno.writeTextFileSync(`${bin.dir}/mbox`, "From x\n\n\n", { mode: 0o600 });
    assertEquals(await bin.run("maildir2mbox", { env: env() }), { code: 0, stdout: "", stderr: "" });
    assertEquals(
      Deno.readTextFileSync(`${bin.dir}/mbox`),
      "From x\n\n\n" +
        "From MAILER-DAEMON Tue Nov 14 22:13:00 2023\nReturn-Path: <>\n\nolder\n\n" +
        "From amy@a.example Tue Nov 14 22:13:10 2023\nReturn-Path: <amy@a.example>\n\n>From me\n\n",
    );
    assertEquals(count(), 1);
    assertEquals(await bin.run("maildir2mbox", { env: env() }), { code: 0, stdout: "", stderr: "" });
  });

  it("maildir2mbox loses nothing where it cannot write", async () => {
    deliver("3.c", "x\n", 5);
    const { code, stderr } = await bin.run("maildir2mbox", { env: { ...env(), MAIL: "/nowhere/mbox" } });
    assertEquals(code, 111);
    assertMatch(stderr, /^maildir2mbox: fatal: NotFound: /);
    assertEquals((await bin.run("maildir2mbox", { env: { ...env(), MAIL: "/dev/full" } })).code, 111);
    assertEquals(count(), 2);
  });

  it("maildir2mbox and maildirwatch want their variables", async () => {
    assertEquals((await bin.run("MAILDIR=x maildir2mbox")).stderr, "maildir2mbox: fatal: MAIL not set\n");
    assertEquals((await bin.run("maildirwatch")).stderr, "maildirwatch: fatal: MAILDIR not set\n");
    assertEquals((await bin.run("maildirwatch", { env: { MAILDIR: "/nowhere" } })).code, 111);
  });

  it("names with blanks and quotes are names", async () => {
    const name = `a b"'$(id)\\*`;
    const env = { MAILDIR: `${bin.dir}/${name}`, MAIL: `${bin.dir}/${name}.mbox` };
    assertEquals((await bin.run('maildirmake "$MAILDIR"', { env })).code, 0);
    Deno.writeTextFileSync(`${env.MAILDIR}/new/1`, "x\n");
    Deno.utimeSync(`${env.MAILDIR}/new/1`, 1, 1);
    assertEquals(await bin.run("maildir2mbox", { env }), { code: 0, stdout: "", stderr: "" });
    assertStringIncludes(Deno.readTextFileSync(env.MAIL), "\nx\n\n");
  });

  it("maildirwatch shows the new mail", async () => {
    deliver("4.d", "From: Bob\nSubject: hi\n\n", 3);
    Deno.removeSync(`${bin.dir}/Maildir/new/3.c`);
    // It ends when nobody looks any more; here because head has seen enough and kills the pipe's other end.
    const { stdout } = await bin.run("{ maildirwatch & echo $! >pid; wait; } | { head -n 2; kill $(cat pid); }", {
      env: env(),
    });
    assertEquals(stdout, "\x1b[;H\x1b[;J1 new message\nBob: hi\n");
  });

  it("qbiff is content where nobody is logged in", async () => {
    const env = { USER: "no-such-user", LOCAL: "amy", SENDER: "a@b" };
    assertEquals(await bin.run("qbiff", { env, input: "Subject: x\n\n" }), { code: 0, stdout: "", stderr: "" });
  });

  const missing = namespaceMissing("script");
  for (const [mode, heard] of [["u+x", true], ["u-x", false]] as const) {
    it(`qbiff writes to a terminal with ${mode}: ${heard}${missing && ` (skipped: ${missing})`}`, {
      ignore: missing !== "",
    }, async () => {
      Deno.mkdirSync(`${bin.dir}/run`, { recursive: true });
      const put = (octets: string, at: number) =>
        `printf '${octets}' | dd of=run/utmp bs=1 seek=${at} conv=notrunc 2>&-`;
      const inner = [
        ...["t=$(tty)", `chmod ${mode} "$t"`, "truncate -s 384 run/utmp", put("\\007", 0), put("amy", 44)],
        'printf "${t#/dev/}" | dd of=run/utmp bs=1 seek=8 conv=notrunc 2>&-',
        "qbiff <.input",
      ].join("\n");
      Deno.writeTextFileSync(`${bin.dir}/inner`, inner);
      const line = withBound(`${bin.dir}/run`, "/run", 'script -qec "sh inner" /dev/null </dev/null');
      const env = { USER: "amy", LOCAL: "amy-x", SENDER: "a@b" };
      const { code, stdout } = await bin.run(line, { env, input: "Subject: hi\n\nHello \x1b[2J\n" });
      assertEquals(code, 0);
      const want = "\n*** TO <amy-x> FROM <a@b>\nhi Hello ?[2J\n";
      assertEquals(stdout.replaceAll("\r", ""), heard ? want : "");
      Deno.removeSync(`${bin.dir}/run/utmp`);
    });
  }

  it("qail, elq and pinq move the mail, then become the reader in the caller's environment", async () => {
    Deno.mkdirSync(`${bin.dir}/readers`);
    for (const reader of ["Mail", "elm", "pine"]) {
      Deno.writeTextFileSync(`${bin.dir}/readers/${reader}`, '#!/bin/sh\necho "$0 $X $*"; cat mbox2\n', {
        mode: 0o755,
      });
    }
    for (const [name, reader] of [["qail", "Mail"], ["elq", "elm"], ["pinq", "pine"]]) {
      deliver(`5.${name}`, `Subject: for ${name}\n\n`, 1);
      const more = { ...env(), MAIL: "mbox2", X: "a  b" };
      const { code, stdout, stderr } = await bin.run(`PATH="$PWD/readers:$PATH" ${name} -f "c d"`, { env: more });
      assertEquals([code, stderr], [0, ""]);
      assertStringIncludes(stdout, `${bin.dir}/readers/${reader} a  b -f c d\n`);
      assertStringIncludes(stdout, `Subject: for ${name}\n`);
    }
    deliver("6", "x\n", 1);
    const unmoved = await bin.run("qail", { env: { ...env(), MAIL: "/nowhere/x" } });
    assertEquals([unmoved.code, unmoved.stdout], [111, ""]);
  });

  it("datemail gives sendmail a dated message", async () => {
    Deno.writeTextFileSync(bin.home.bin("sendmail"), '#!/bin/sh\necho "$*"; cat\n', { mode: 0o755 });
    const { stdout } = await bin.run("datemail -t 'a b'", { input: "To: x\n\n" });
    assertMatch(stdout, /^-t a b\nDate: [^\n]+\nTo: x\n\n$/);
  });
});
