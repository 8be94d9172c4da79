/**
 * dot-forward, fastforward, setforward, printforward and newaliases as .qmail lines and administrators call them. What is
 * queued goes to a program in QMAILQUEUE, which shows it.
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { programEnding } from "../../components/tools/support/deliveries.ts";
import { describePlan, isSelf, planForward } from "../../components/tools/dot-forward.ts";
import { describeExpansion, listCommands } from "../../components/tools/fastforward.ts";
import { type Bin, makeBin } from "./support/bin.ts";
import { namespaceMissing, withBound } from "./support/namespace.ts";

const amy = { user: "amy", local: "amy-list", host: "a.example" };

describe("isSelf()", () => {
  const table = [
    { address: "amy", final: false, want: true },
    { address: "AMY", final: true, want: true },
    { address: "amy@A.example", final: false, want: true },
    { address: "amy-list@a.example", final: false, want: true },
    { address: "amy@b.example", final: false, want: false },
    { address: "bob", final: false, want: false },
    { address: "amy-list", final: true, want: false },
  ];
  for (const { address, final, want } of table) {
    it(`says ${want} to ${final ? "\\" : ""}${address}`, () =>
      assertEquals(isSelf({ kind: "address", address, final }, amy), want));
  }
});

describe("planForward() and describePlan()", () => {
  it("keep programs and files in their order, and each address once", () => {
    const plan = planForward([
      { kind: "address", address: "b@c", final: false },
      { kind: "file", path: "/m" },
      { kind: "program", command: "x" },
      { kind: "address", address: "amy", final: true },
      { kind: "address", address: "b@c", final: false },
    ], amy);
    assertEquals(plan.recipients, ["b@c"]);
    assertEquals(describePlan(plan), "mbox /m\nprogram x\nforward b@c\nself\n");
  });
});

describe("programEnding()", () => {
  const table = [
    { exit: 0, want: undefined },
    { exit: 99, want: undefined },
    { exit: 64, want: 100 },
    { exit: 100, want: 100 },
    { exit: 112, want: 100 },
    { exit: 1, want: 111 },
    { exit: 111, want: 111 },
    { exit: undefined, want: 111 },
  ];
  for (const { exit, want } of table) {
    it(`makes ${want ?? "nothing"} of ${exit ?? "a crash"}`, () => assertEquals(programEnding(exit)?.code, want));
  }
});

describe("listCommands()", () => {
  it("takes only addresses from a text, commands from what was made of one", () => {
    assertEquals(listCommands("a@b, |rm -r /\n# c\n/file\n"), ["&a@b"]);
    assertEquals(listCommands("&a@b\0|x\0"), ["&a@b", "|x"]);
    assertEquals(listCommands("(("), undefined);
  });
});

describe("describeExpansion()", () => {
  it("says what would be done", () => {
    const expansion = { sender: "s@t", programs: ["|x"], recipients: ["a@b"] };
    assertEquals(describeExpansion(expansion), "run |x\nfrom <s@t>\nto <a@b>\n");
    assertEquals(describeExpansion({ ...expansion, programs: [], recipients: [] }), "no forwarding\n");
  });
});

const message = "Subject: x\n\nHello\nFrom me\n";
const lines = "From s@t Sun Nov 22 07:21:26 2026\nReturn-Path: <s@t>\nDelivered-To: amy@a.example\n";

let bin: Bin;

beforeAll(() => {
  bin = makeBin(["dot-forward", "fastforward", "setforward", "printforward", "newaliases"]);
  Deno.writeTextFileSync(`${bin.dir}/queue`, "#!/bin/sh\ncat >queued && cat <&1 >>queued\n", { mode: 0o755 });
  // The queue program's folder is the home.
});
afterAll(() => bin?.[Symbol.dispose]());

const [uf, rp, dt] = lines.split(/(?<=\n)/);

function environment(): Record<string, string> {
  return {
    ...{ USER: "amy", LOCAL: "amy", HOST: "a.example", RECIPIENT: "amy@a.example", SENDER: "s@t", NEWSENDER: "n@t" },
    ...{ UFLINE: uf!, RPLINE: rp!, DTLINE: dt!, QMAILQUEUE: `${bin.dir}/queue` },
  };
}

function write(name: string, text: string): void {
  Deno.writeFileSync(`${bin.dir}/${name}`, toOctets(text));
}

/** What was queued since the last call. */
function queued(): string | undefined {
  const path = `${bin.home.dir}/queued`;
  try {
    const text = fromOctets(Deno.readFileSync(path));
    Deno.removeSync(path);
    return text;
  } catch {
    return undefined;
  }
}

const run = (line: string, env: Record<string, string> = {}) =>
  bin.run(line, { input: message, env: { ...environment(), ...env } });
const copy = (envelope: string) => `Delivered-To: amy@a.example\n${message}${envelope}`;

describe("dot-forward", () => {
  const forward = async (text: string, line = "dot-forward .forward") => {
    write(".forward", text);
    return await run(line);
  };

  it("leaves alone what has no file, an empty one, or one that names only the user", async () => {
    const silent = { code: 0, stdout: "", stderr: "" };
    assertEquals(await run("dot-forward .nothing .nowhere"), silent);
    for (const text of ["", "# amy@b.example\n", "\\amy\n", "amy@a.example"]) assertEquals(await forward(text), silent);
    assertEquals(queued(), undefined);
  });

  it("forwards, and takes the message over", async () => {
    const { code, stderr } = await forward("b@c, \xe9@d\n");
    assertEquals(code, 99);
    assertMatch(stderr, /^dot-forward: qp [0-9]+\n$/);
    assertEquals(queued(), copy("Fn@t\0Tb@c\0T\xe9@d\0\0"));
  });

  it("forwards and keeps", async () => {
    assertEquals((await forward("\\amy, b@c")).code, 0);
    assertEquals(queued(), copy("Fn@t\0Tb@c\0\0"));
  });

  it("tries the next of its files", async () => {
    assertEquals((await forward("b@c", "dot-forward .nothing .forward")).code, 99);
    assertEquals(queued(), copy("Fn@t\0Tb@c\0\0"));
  });

  it("runs programs with the lines in front of the message, and the caller's environment", async () => {
    const text = `"|cat >seen; echo \\"$SENDER\\" >>seen", '|false'@x\n`;
    assertEquals((await forward(text.replace(", '|false'@x", ""))).code, 99);
    assertEquals(fromOctets(Deno.readFileSync(`${bin.dir}/seen`)), `${lines}${message}s@t\n`);
  });

  it("forwards nothing after a program that failed", async () => {
    assertEquals((await forward('b@c, "|exit 1"')).code, 111);
    assertEquals((await forward('b@c, "|exit 67", "|exit 100"')).code, 111);
    assertEquals((await forward('b@c, "|exit 77"')).code, 100);
    assertEquals(queued(), undefined);
  });

  it("appends to an mbox file", async () => {
    const path = `${bin.dir}/m box`;
    assertEquals((await forward(`"${path}"`)).code, 99);
    assertEquals((await forward(`"${path}"`, "cat | dot-forward .forward")).code, 99);
    const one = `${lines}${message.replace("\nFrom ", "\n>From ")}\n`;
    assertEquals(fromOctets(Deno.readFileSync(path)), one + one);
    assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
  });

  it("defers where the mbox file cannot be written, and forwards nothing", async () => {
    const { code, stderr } = await forward("/nowhere/mbox, b@c");
    assertEquals(code, 111);
    assertStringIncludes(stderr, "dot-forward: fatal: unable to write /nowhere/mbox\n");
    assertEquals((await forward("/dev/null")).code, 99);
    assertEquals(queued(), undefined);
  });

  it("leaves the mbox file as it was where there is no room for the message", async () => {
    const path = `${bin.dir}/small`;
    Deno.writeTextFileSync(path, "From x\n\n\n", { mode: 0o600 });
    write(".forward", path);
    // A file may have 8 KiB from here on; who writes more is told so, not killed.
    const large = "y".repeat(100_000);
    const { code } = await bin.run("trap '' XFSZ; ulimit -f 16; dot-forward .forward", {
      input: large,
      env: environment(),
    });
    assertEquals([code, Deno.readTextFileSync(path)], [111, "From x\n\n\n"]);
  });

  it("follows included lists, each once, and defers where one is missing", async () => {
    write("list", `c@d\n:include:${bin.dir}/list\n`);
    assertEquals((await forward(`b@c, :include:${bin.dir}/list`)).code, 99);
    assertEquals(queued(), copy("Fn@t\0Tb@c\0Tc@d\0\0"));
    const missing = await forward("b@c, :include:/nowhere/list");
    assertEquals([missing.code, missing.stderr], [111, "dot-forward: fatal: unable to find /nowhere/list\n"]);
  });

  it("defers what it cannot read", async () => {
    const { code, stderr } = await forward("b@c\n(((\n");
    assertEquals([code, stderr], [111, "dot-forward: fatal: unable to parse this in .forward: (((\n"]);
    assertEquals((await run("dot-forward")).code, 100);
    assertEquals((await run("dot-forward -x .forward")).code, 100);
  });

  it("-n prints what it would do, and does nothing", async () => {
    const { code, stdout } = await forward('b@c, "|x y", \\amy', "dot-forward -n .forward");
    assertEquals([code, stdout], [0, "program x y\nforward b@c\nself\n"]);
    assertEquals(queued(), undefined);
  });
});

describe("fastforward and its table", () => {
  const set = async (table: string) => {
    const { code, stderr } = await bin.run("setforward t.cdb t.tmp", { input: table });
    assertEquals([code, stderr], [0, ""]);
  };

  it("setforward's table is what printforward prints", async () => {
    await set("Root@a: amy@a, |x\\ y; amy@a: ?o@a, b@c;");
    const { code, stdout } = await run("printforward <t.cdb");
    assertEquals([code, stdout], [0, "root@a: &amy@a, |x\\ y;\namy@a: ?o@a, &b@c;\n"]);
  });

  it("a table that is none changes nothing", async () => {
    await set("a@b: c@d;");
    const before = Deno.readFileSync(`${bin.dir}/t.cdb`);
    const { code, stderr } = await bin.run("setforward t.cdb t.tmp", { input: "a@b: <;" });
    assertEquals(code, 111);
    assertStringIncludes(stderr, 'an unknown command "<" in line 1');
    assertEquals(Deno.readFileSync(`${bin.dir}/t.cdb`), before);
    assertEquals((await bin.run("setforward t.cdb")).code, 100);
    assertEquals((await run("printforward")).code, 111);
  });

  it("forwards by the recipient, with the owner as sender", async () => {
    await set("amy@a.example: ?owner@, b@c, x; ");
    const { code, stderr } = await run("fastforward t.cdb");
    assertEquals(code, 0);
    assertMatch(stderr, /^fastforward: qp [0-9]+\n$/);
    assertEquals(queued(), copy("Fowner@a.example\0Tb@c\0Tx\0\0"));
    assertEquals((await run("fastforward -p t.cdb")).code, 99);
    assertEquals(queued(), copy("Fowner@a.example\0Tb@c\0Tx\0\0"));
  });

  it("bounces for whom it does not know, or passes on", async () => {
    await set("bob@a.example: b@c;");
    const stderr = "Sorry, no mailbox here by that name. (#5.1.1)\n";
    assertEquals(await run("fastforward t.cdb"), { code: 100, stdout: "", stderr });
    assertEquals(await run("fastforward -p t.cdb"), { code: 0, stdout: "", stderr: "" });
    assertEquals((await run("fastforward -pP t.cdb")).code, 100);
  });

  it("-d looks for DEFAULT at HOST", async () => {
    await set("x@a.example: b@c;");
    assertEquals((await run("fastforward -d t.cdb", { DEFAULT: "x" })).code, 0);
    assertEquals(queued(), copy("Fs@t\0Tb@c\0\0"));
    assertEquals((await run("fastforward -d t.cdb")).code, 100);
  });

  it("runs programs, those with ! behind the three lines", async () => {
    await set("amy@: |cat\\ >one, !cat\\ >two, |cat\\ >three;");
    assertEquals((await run("fastforward t.cdb")).code, 0);
    const written = ["one", "two", "three"].map((name) => fromOctets(Deno.readFileSync(`${bin.dir}/${name}`)));
    assertEquals(written, [message, lines + message, message]);
    assertEquals(queued(), undefined);
  });

  it("-n says what it would do", async () => {
    await set("amy@: |x, b@c;");
    assertEquals((await run("fastforward -n t.cdb")).stderr, "run |x\nfrom <s@t>\nto <b@c>\n");
    assertEquals(queued(), undefined);
  });

  it("defers where the table is missing or damaged", async () => {
    assertEquals((await run("fastforward nothing.cdb")).code, 111);
    write("short.cdb", "x".repeat(2100));
    assertEquals((await run("fastforward short.cdb")).code, 111);
    assertEquals((await run("fastforward")).code, 100);
  });

  const missing = namespaceMissing();
  it(`newaliases makes the table of /etc/aliases${missing && ` (skipped: ${missing})`}`, {
    ignore: missing !== "",
  }, async () => {
    Deno.mkdirSync(`${bin.dir}/etc`);
    const make = (text?: string) => {
      if (text !== undefined) write("etc/aliases", text);
      return run(withBound(`${bin.dir}/etc`, "/etc", "newaliases && printforward </etc/aliases.cdb"));
    };
    const none = await make();
    assertEquals(none.code, 111);
    assertMatch(none.stderr, /^newaliases: fatal: NotFound: /);
    const made = await make('root: amy, "|log it"\nowner-root: bob@c\n');
    assertEquals([made.code, made.stdout], [0, "root@: ?owner-root@, &amy@, !log\\ it;\nowner-root@: &bob@c;\n"]);
    const wrong = await make("root: (((\n");
    assertEquals(wrong.code, 111);
    assertStringIncludes(wrong.stderr, 'line 1: unable to parse "((("');
  });
});
