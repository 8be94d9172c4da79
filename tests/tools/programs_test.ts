/**
 * The programs of .qmail lines that run another: bouncesaying, except, preline, predate; and what all of them give it of
 * their caller's world.
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { parseCaller } from "../../components/tools/support/caller.ts";
import { answerOf, encodeWord, shellArguments } from "../../components/tools/support/child.ts";
import { parseFlags } from "../../components/tools/support/flags.ts";
import { offsetMinutes } from "../../components/tools/predate.ts";
import { parsePreline } from "../../components/tools/preline.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import { formatZonedDate } from "../../components/lib/message/date.ts";
import { type Bin, makeBin } from "./support/bin.ts";

describe("answerOf()", () => {
  const table = [
    { exit: 0, want: "yes" },
    { exit: 1, want: "no" },
    { exit: 99, want: "no" },
    { exit: 100, want: "no" },
    { exit: 111, want: "later" },
    { exit: undefined, want: "later" },
  ] as const;
  for (const { exit, want } of table) {
    it(`takes ${exit ?? "a crash"} for ${want}`, () => assertEquals(answerOf(exit), want));
  }
});

describe("parseFlags()", () => {
  const table = [
    { args: [], want: { flags: [], rest: [] } },
    { args: ["-ab", "-c", "x", "-a"], want: { flags: ["a", "b", "c"], rest: ["x", "-a"] } },
    { args: ["-a", "--", "-b"], want: { flags: ["a"], rest: ["-b"] } },
    { args: ["-", "-a"], want: { flags: [], rest: ["-", "-a"] } },
    { args: ["-ax"], want: undefined },
    { args: [""], want: { flags: [], rest: [""] } },
  ];
  for (const { args, want } of table) {
    it(`reads ${JSON.stringify(args)}`, () => assertEquals(parseFlags(args, "abc"), want));
  }
});

describe("parsePreline()", () => {
  const all = ["UFLINE", "RPLINE", "DTLINE"];
  const table = [
    { args: ["cat"], want: { names: all, command: ["cat"] } },
    { args: ["-f", "cat", "-r"], want: { names: ["RPLINE", "DTLINE"], command: ["cat", "-r"] } },
    { args: ["-frd", "cat"], want: { names: [], command: ["cat"] } },
    { args: ["-frd", "-FD", "cat"], want: { names: ["UFLINE", "DTLINE"], command: ["cat"] } },
    { args: ["-x", "cat"], want: undefined },
    { args: ["-f"], want: undefined },
    { args: [], want: undefined },
  ];
  for (const { args, want } of table) {
    it(`reads ${JSON.stringify(args)}`, () => assertEquals(parsePreline(args), want));
  }
});

describe("formatZonedDate()", () => {
  const table = [
    { seconds: 1795333684, minutes: 0, want: "22 Nov 2026 07:48:04 +0000" },
    { seconds: 1795333684, minutes: 120, want: "22 Nov 2026 09:48:04 +0200" },
    { seconds: 1795333684, minutes: -210, want: "22 Nov 2026 04:18:04 -0330" },
    { seconds: 1798761599, minutes: 345, want: "1 Jan 2027 05:44:59 +0545" },
  ];
  for (const { seconds, minutes, want } of table) {
    it(`writes ${want}`, () => assertEquals(formatZonedDate(seconds, minutes), want));
  }
});

describe("offsetMinutes()", () => {
  const winter = 1795333684;
  const summer = winter - 150 * 86400;
  const table = [
    { zone: "Europe/Berlin", seconds: winter, want: 60 },
    { zone: "Europe/Berlin", seconds: summer, want: 120 },
    { zone: ":America/St_Johns", seconds: winter, want: -210 },
    { zone: "UTC", seconds: winter, want: 0 },
  ];
  for (const { zone, seconds, want } of table) {
    it(`is ${want} in ${zone} at ${seconds}`, () => assertEquals(offsetMinutes(seconds, zone), want));
  }

  it("is the machine's for what names no zone", () => {
    const here = offsetMinutes(winter, undefined);
    for (const zone of ["", "CET-1CEST", "\xff", "/etc/passwd"]) assertEquals(offsetMinutes(winter, zone), here);
  });
});

describe("parseCaller()", () => {
  it("takes octets as they are, in any number of lines", () => {
    const lines = (text: string) => btoa(text).match(/.{1,8}/g) ?? [];
    const command = "/usr/bin/timeout\0--foreground\x00" + "0\0env\0-i\0/bin/sh\0/h/bin/x\0a \xff\n\0\0--environment\0";
    const caller = parseCaller([
      ...["--home", "/h", "--environment", ...lines("A=1\0B=\xe9'\n\0strange\0")],
      ...["--command-line", ...lines(command)],
    ]);
    assertEquals(caller.args, ["a \xff\n", "", "--environment"]);
    assertEquals(caller.environment, ["A=1", "B=\xe9'\n", "strange"]);
    assertEquals(caller.home.dir, "/h");
  });

  it("takes an empty environment", () => {
    assertEquals(parseCaller(["--home", "/h", "--environment", "--command-line", ""]).environment, []);
  });

  it("refuses to run without the script", () => {
    assertThrows(() => parseCaller(["amy@a.example"]));
  });
});

describe("a started program", () => {
  it("gets any words octet for octet", () => {
    const octets = fc.uint8Array({ min: 1, max: 255, maxLength: 30 }).map(fromOctets);
    const values = fc.array(octets, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(values, octets, (words, value) => {
        const args = shellArguments([`V=${value}`], ["/bin/sh", "-c", 'printf "%s\\0" "$V" "$@"', "sh", ...words]);
        const { code, stdout } = new Deno.Command("/bin/sh", { args, clearEnv: true }).outputSync();
        assertEquals([code, fromOctets(stdout)], [0, [value, ...words].map((word) => `${word}\0`).join("")]);
      }),
      { numRuns: 40 },
    );
  });

  it("has what is no UTF-8 handed over in octal", () => {
    assertEquals(encodeWord("a$(x)\n"), "ta$(x)\n");
    assertEquals(encodeWord("\xc3\xa9"), "t\u00e9");
    assertEquals(encodeWord("%\xe9"), "o\\045\\351");
  });

  it("cannot have a name that env would take for a variable", () => {
    assertThrows(() => shellArguments([], ["a=b"]));
    assertThrows(() => shellArguments([], []));
  });
});

/** As qmail-local might set them, of an attacker's address. */
const hostile = {
  SENDER: `a"b'c\`id\`$(id)\\\n;x@a.example`,
  "BASH_FUNC_exec%%": "() { echo taken; }",
  ENV: "/etc/passwd",
  IFS: "x",
  DENO_V8_FLAGS: "--no-such-flag",
  NODE_OPTIONS: "--no-such-flag",
  "no-shell's name": "1",
  EMPTY: "",
};

describe("bouncesaying, except, preline and predate", () => {
  let bin: Bin;
  beforeAll(() => {
    bin = makeBin(["bouncesaying", "except", "preline", "predate"]);
    Deno.writeTextFileSync(
      `${bin.dir}/show`,
      `#!/usr/bin/env python3
import os, sys
sys.stdout.buffer.write(b"\\0".join([b"%s=%s" % x for x in sorted(os.environb.items())] + [os.fsencode(a) for a in sys.argv[1:]]))
`,
      { mode: 0o755 },
    );
  });
  afterAll(() => bin?.[Symbol.dispose]());

  const exits = [
    { line: "bouncesaying 'no such user'", code: 100, stdout: "no such user\n" },
    { line: "bouncesaying 'it is'  test -s .input", code: 100, stdout: "it is\n" },
    { line: "bouncesaying 'it is not' test -e nothing", code: 0 },
    { line: "bouncesaying later sh -c 'exit 111'", code: 111, stderr: "bouncesaying: fatal: temporary child error\n" },
    { line: "bouncesaying later sh -c 'kill -9 $$'", code: 111, stderr: "bouncesaying: fatal: child crashed\n" },
    { line: "bouncesaying x sh -c 'exit 100'", code: 0 },
    { line: "bouncesaying 'message' grep -q hello", code: 100, stdout: "message\n" },
    {
      line: "bouncesaying",
      code: 100,
      stderr: "bouncesaying: fatal: usage: bouncesaying error [ program [ arg ... ] ]\n",
    },
    { line: "except true", code: 100 },
    { line: "except false", code: 0 },
    { line: "except sh -c 'exit 111'", code: 111, stderr: "except: fatal: temporary child error\n" },
    { line: "except sh -c 'kill -9 $$'", code: 111, stderr: "except: fatal: child crashed\n" },
    { line: "except except grep -q hello", code: 0 },
    { line: "except", code: 100, stderr: "except: fatal: usage: except program [ arg ... ]\n" },
    { line: "preline cat", code: 0, stdout: "From a@b\nReturn-Path: <a@b>\nDelivered-To: c@d\nhello\nworld\n" },
    { line: "preline -fd cat", code: 0, stdout: "Return-Path: <a@b>\nhello\nworld\n" },
    { line: "preline -frd cat -- -", code: 0, stdout: "hello\nworld\n" },
    { line: "preline sh -c 'exit 77'", code: 77 },
    { line: "preline true", code: 0 },
    { line: "preline sh -c 'kill -9 $$'", code: 111, stderr: "preline: fatal: child crashed\n" },
    { line: "env -u UFLINE preline cat", code: 100, stderr: "preline: fatal: UFLINE not set\n" },
    { line: "env -u UFLINE preline -f head -n 1", code: 0, stdout: "Return-Path: <a@b>\n" },
    { line: "preline -x cat", code: 100, stderr: "preline: fatal: usage: preline [ -frdFRD ] cmd [ arg ... ]\n" },
    { line: "predate tail -n 2", code: 0, stdout: "hello\nworld\n" },
    { line: "predate sh -c 'exit 3'", code: 3 },
    { line: "predate", code: 100, stderr: "predate: fatal: usage: predate program [ arg ... ]\n" },
  ];
  const env = { UFLINE: "From a@b\n", RPLINE: "Return-Path: <a@b>\n", DTLINE: "Delivered-To: c@d\n" };
  for (const { line, code, stdout = "", stderr = "" } of exits) {
    it(`${line}: ${code}`, async () => {
      assertEquals(await bin.run(line, { input: "hello\nworld\n", env }), { code, stdout, stderr });
    });
  }

  it("predate writes the caller's zone", async () => {
    const { stdout } = await bin.run("TZ=Asia/Kathmandu predate head -n 1");
    assertMatch(stdout, /^Date: [0-9]{1,2} [A-Z][a-z]{2} 20[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} \+0545\n$/);
  });

  it("a program's folder, umask and search path are the caller's", async () => {
    Deno.mkdirSync(`${bin.dir}/own`);
    Deno.writeTextFileSync(`${bin.dir}/own/mine`, "#!/bin/sh\npwd; umask\n", { mode: 0o755 });
    const { stdout } = await bin.run('umask 077; PATH="$PATH:$PWD/own"; cd own; preline -frd mine');
    assertEquals(stdout, `${bin.dir}/own\n0077\n`);
  });

  it("an environment larger than one argument may be arrives whole", async () => {
    const env = { BIG: "x".repeat(120_000), LARGE: "\u00e9".repeat(60_000), LAST: "y" };
    const { code, stdout } = await bin.run("preline -frd sh -c 'echo ${#BIG} $LAST; printf %s $LARGE | wc -c'", {
      env,
    });
    assertEquals([code, stdout], [0, "120000 y\n120000\n"]);
  });

  it("a message that cannot be read is no message to the program, but a reason to try again", async () => {
    // A folder opens, and reading it fails.
    assertEquals((await bin.run("preline -frd sh -c 'cat && echo whole >taken' <.")).code, 111);
    assertEquals([...Deno.readDirSync(bin.dir)].some(({ name }) => name === "taken"), false);
  });

  it("a program that is not there is no reason to bounce", async () => {
    assertEquals((await bin.run("preline -frd no-such-program")).code, 127);
  });

  const python = new Deno.Command("/bin/sh", { args: ["-c", "command -v python3 >/dev/null"] }).outputSync().success;
  const unless = python ? "" : " (skipped: python3 is not installed)";
  for (const name of ["bouncesaying x", "except", "preline -frd", "predate"]) {
    it(`${name}: the program gets the whole environment and its arguments octet for octet${unless}`, {
      ignore: !python,
    }, async () => {
      // Started through env, whose own octets a shell makes: what is no text cannot be said otherwise.
      const odd = `"$(printf 'ODD=\\351\\377 "\\n\\n.x')" "$(printf 'N\\351=\\200')"`;
      const words = `"$(printf '\\377"\\n.')" '' '-x' 'a=b'`;
      const { stdout } = await bin.run(`exec env ${odd} ${name} ./show ${words}`, { env: hostile });
      const directly = await bin.run(`exec env ${odd} ./show ${words}`, { env: hostile });
      assertStringIncludes(directly.stdout, '\0ODD=\xe9\xff "\n\n.x\0');
      assertEquals(stdout.replace(/x\n$/, ""), directly.stdout);
    });
  }
});
