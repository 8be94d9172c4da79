/**
 * The command lines that programs call sendmail with.
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseSendmailArguments } from "../../components/tools/sendmail.ts";
import { subjectHeader } from "../../components/tools/mailsubj.ts";

const named = { QMAILNAME: undefined, MAILNAME: undefined, NAME: undefined, MAILHOST: undefined };

describe("parseSendmailArguments()", () => {
  const table = [
    { line: "-t -i", args: ["-H", "--"] },
    { line: "-ti a@b", args: ["-H", "--", "a@b"] },
    { line: "-FCronDaemon -i -B8BITMIME -oem root", args: ["-a", "--", "root"], env: { QMAILNAME: "CronDaemon" } },
    { line: "-i -FCronDaemon -B 8BITMIME -oem root", args: ["-a", "--", "root"], env: { QMAILNAME: "CronDaemon" } },
    { line: "-oem -oi -- a b", args: ["-a", "--", "a", "b"] },
    { line: "-o i -odb a", args: ["-a", "--", "a"] },
    { line: "-oi -f j@b.c -t", args: ["-H", "-f", "j@b.c", "--"], env: { ...named, QMAILHOST: "b.c", QMAILUSER: "j" } },
    { line: "-fj@b.c a", args: ["-a", "-f", "j@b.c", "--", "a"], env: { ...named, QMAILHOST: "b.c", QMAILUSER: "j" } },
    { line: "-r j a", args: ["-a", "-f", "j", "--", "a"], env: { ...named, QMAILHOST: undefined, QMAILUSER: "j" } },
    { line: "-f <> a", args: ["-a", "-f", "<>", "--", "a"], env: { ...named, QMAILHOST: undefined } },
    {
      line: "-FJ -fj@b a",
      args: ["-a", "-f", "j@b", "--", "a"],
      env: { ...named, QMAILHOST: "b", QMAILUSER: "j", QMAILNAME: "J" },
    },
    { line: "-N never -R hdrs -V id -Lx -h 3 -O A=b -X log -C cf -p smtp a", args: ["-a", "--", "a"] },
    {
      line: "-Nnever -Rfull -Vid -h3 -OA=b -Xlog -Ccf -d0.1 -em -Ac -E -G -J -U -m -n -s -v -x a",
      args: ["-a", "--", "a"],
    },
    { line: "-bm -q30m a", args: ["-a", "--", "a"] },
    { line: "a -t", args: ["-a", "--", "a", "-t"] },
    { line: "-t -- -x", args: ["-H", "--", "-x"] },
  ];
  for (const { line, args, env = {} } of table) {
    it(`reads ${line}`, () => {
      const call = parseSendmailArguments(line.split(" "));
      assertEquals(
        call,
        { ok: true, value: { kind: "inject", args, variables: new Map(Object.entries(env)) } } as unknown,
      );
    });
  }

  it("keeps an empty argument", () => {
    const call = parseSendmailArguments(["-f", "", "a"]);
    assertEquals(call.ok && call.value.kind === "inject" && call.value.args, ["-a", "-f", "", "--", "a"]);
  });

  it("lists the queue for -bp, and does nothing for -q alone", () => {
    for (const line of ["-bp", "-b p", "-oi -bp x"]) {
      assertEquals(parseSendmailArguments(line.split(" ")), { ok: true, value: { kind: "list" } });
    }
    for (const line of ["-q", "-q15m", "-v -q"]) {
      assertEquals(parseSendmailArguments(line.split(" ")), { ok: true, value: { kind: "nothing" } });
    }
  });

  it("is a session for -bs, whatever else is there", () => {
    for (const line of ["-bs", "-b s", "-bs -i", "-t -bs -f a@b c@d"]) {
      assertEquals(parseSendmailArguments(line.split(" ")), { ok: true, value: { kind: "session" } });
    }
  });

  it("says where mail goes for -bv and -bt", () => {
    for (const [line, addresses] of [["-bv a b@c", ["a", "b@c"]], ["-bt", "input"], ["-d0.1 -bt", "input"]] as const) {
      assertEquals(
        parseSendmailArguments(line.split(" ")),
        { ok: true, value: { kind: "route", addresses } } as unknown,
      );
    }
  });

  for (const line of ["-bd", "-bi", "-b", "-f", "-oi -F", "-Z a", "-t -!"]) {
    it(`refuses ${line}`, () => assertEquals(parseSendmailArguments(line.split(" ")).ok, false));
  }
});

describe("subjectHeader()", () => {
  it("makes no field of a line end in an argument", () => {
    assertEquals(subjectHeader("a\nBcc: x", ["y\r\nz"]), "Subject: a Bcc: x\nTo: y z\n\n");
    assertEquals(subjectHeader("", ["a@b", "c"]), "Subject: \nTo: a@b, c\n\n");
  });
});
