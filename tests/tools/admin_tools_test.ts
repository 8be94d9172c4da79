/**
 * qmail-showctl, splogger and tcp-env as an administrator's scripts run them.
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { toOctets } from "../../components/lib/octets.ts";
import { describeControl, describeUnknown } from "../../components/tools/qmail-showctl.ts";
import { facilityName } from "../../components/tools/splogger.ts";
import { SyslogLines } from "../../components/tools/support/syslog_lines.ts";
import { parseSocketLine, parseTcpEnv, tcpVariables } from "../../components/tools/tcp-env.ts";
import { schema } from "../../config/schema.ts";
import { within } from "../support/wait.ts";
import { type Bin, makeBin } from "./support/bin.ts";
import { namespaceMissing, withBound } from "./support/namespace.ts";

describe("describeControl()", () => {
  const databytes = schema.databytes.doc;
  const table = [
    { file: "databytes", text: undefined, want: `\ndatabytes: (Default.) 0\n${databytes}\n` },
    { file: "databytes", text: "1000\n", want: `\ndatabytes: 1000\n${databytes}\n` },
    { file: "bouncehost", text: undefined, want: `\nbouncehost: (Default.) me.example\n${schema.bouncehost.doc}\n` },
    {
      file: "rcpthosts",
      text: "# ours\na.example\n.b.example\n",
      want: `\nrcpthosts: a.example, .b.example\n${schema.rcpthosts.doc}\n`,
    },
    { file: "rcpthosts", text: "", want: `\nrcpthosts: (Empty.)\n${schema.rcpthosts.doc}\n` },
  ] as const;
  for (const { file, text, want } of table) {
    it(`describes ${file} with ${JSON.stringify(text)}`, () =>
      assertEquals(describeControl(file, text, "me.example"), want));
  }

  it("says what is malformed, and lets nothing steer a terminal", () => {
    assertMatch(
      describeControl("databytes", "1\x1b[2J0MB", "me"),
      /^\ndatabytes: 1\?\[2J0MB\nMalformed: expected .*\n/,
    );
    assertEquals(describeUnknown("\x1b"), "\n?: I have no idea what this file does.\n");
  });
});

describe("SyslogLines", () => {
  const linesOf = (...pieces: string[]) => {
    let now = 1_000_000;
    const lines = new SyslogLines(() => now += 1_000_001);
    const taken = [...pieces.flatMap((piece) => lines.push(toOctets(piece))), ...lines.end()];
    return taken.map(({ priority, line }) => `${priority}: ${line}`);
  };
  const table = [
    { input: "a\nb", want: ["info: 2.000001 a", "info: 3.000002 b"] },
    {
      input: "alert: x\nwarning: y\nalerts\n",
      want: ["alert: 2.000001 alert: x", "warning: 3.000002 warning: y", "info: 4.000003 alerts"],
    },
    { input: "\n  \na\n", want: ["info: 3.000002 a"] },
    { input: "a\tb\xe9\x1b\n", want: ["info: 2.000001 a?b??"] },
    { input: "x".repeat(800), want: [`info: 2.000001 ${"x".repeat(800)}`] },
    {
      input: `alert:${"x".repeat(794)}y\nz`,
      want: [`alert: 2.000001 alert:${"x".repeat(794)}`, "alert: 2.000001+y", "info: 3.000002 z"],
    },
  ];
  for (const { input, want } of table) {
    it(`makes ${want.length} of ${JSON.stringify(input.slice(0, 30))}`, () => assertEquals(linesOf(input), want));
  }

  it("does not care where its input is cut", () => {
    const text = fc.array(fc.constantFrom("\n", "a", "alert:", " ", "x".repeat(500)), { maxLength: 12 });
    fc.assert(fc.property(text, (parts) => assertEquals(linesOf(...parts), linesOf(parts.join("")))));
  });
});

describe("facilityName()", () => {
  it("names qmail's numbers", () => {
    const names = [undefined, "2", "1", "16", "23", "24", "x", "-1"].map(facilityName);
    assertEquals(names, ["mail", "mail", "user", "local0", "local7", "mail", "mail", "mail"]);
  });
});

describe("parseSocketLine()", () => {
  const table = [
    {
      line: "   1: 0100007F:1F90 0200007F:D2F4 01 00000000:00000000 00:00000000 00000000  1000        0 12345 1",
      want: { local: { address: "127.0.0.1", port: 8080 }, remote: { address: "127.0.0.2", port: 54004 } },
    },
    {
      line: "  12: 0000000000000000FFFF00000100007F:0019 0000000000000000FFFF0000010200C0:0400 01 x",
      want: { local: { address: "127.0.0.1", port: 25 }, remote: { address: "192.0.2.1", port: 1024 } },
    },
    {
      line: "  12: 00000000000000000000000001000000:0019 B80D0120000000000000000001000000:0400 01 x",
      want: { local: { address: "::1", port: 25 }, remote: { address: "2001:db8::1", port: 1024 } },
    },
    { line: "", want: undefined },
    { line: "  sl  local_address rem_address   st", want: undefined },
    { line: "  1: 01:0019 01:0400 01", want: undefined },
  ];
  for (const { line, want } of table) it(`reads ${line}`, () => assertEquals(parseSocketLine(line), want));
});

describe("tcpVariables() and parseTcpEnv()", () => {
  const endpoints = { local: { address: "127.0.0.1", port: 1 }, remote: { address: "127.0.0.2", port: 2 } };
  it("give a name where the DNS has one that is one", () => {
    const known = tcpVariables(endpoints, undefined, "Host.Example");
    assertEquals(known.at(-1), "TCPREMOTEHOST=host.example");
    assertEquals(tcpVariables(endpoints, "a b", "x\n").length, 5);
  });

  const table = [
    { args: ["prog", "-R"], want: ["prog", "-R"] },
    { args: ["-R", "-t30", "prog"], want: ["prog"] },
    { args: ["-rt", "30", "--", "-prog"], want: ["-prog"] },
    { args: ["-x", "prog"], want: undefined },
    { args: [], want: [] },
  ];
  for (const { args, want } of table) {
    it(`take ${JSON.stringify(args)}`, () => assertEquals(parseTcpEnv(args), want));
  }
});

describe("the programs", () => {
  let bin: Bin;
  beforeAll(() => {
    bin = makeBin(["qmail-showctl", "splogger", "tcp-env"]);
    Deno.mkdirSync(bin.home.control(""), { recursive: true });
  });
  afterAll(() => bin?.[Symbol.dispose]());

  it("qmail-showctl prints every control file, and those it does not know", async () => {
    Deno.writeTextFileSync(bin.home.control("me"), "host.example\n");
    Deno.writeTextFileSync(bin.home.control("databytes"), "1000\n");
    Deno.writeTextFileSync(bin.home.control("frobnicate"), "1000\n");
    const { code, stdout, stderr } = await bin.run("qmail-showctl");
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, `qmail home directory: ${bin.home.dir}.\n`);
    for (const file of Object.keys(schema)) assertMatch(stdout, new RegExp(`\n\n${file}: `));
    assertStringIncludes(stdout, "\nme: host.example\n");
    assertStringIncludes(stdout, "\ndatabytes: 1000\n");
    assertStringIncludes(stdout, "\nfrobnicate: I have no idea what this file does.\n");
  });

  it("qmail-showctl says when morercpthosts.cdb is out of date", async () => {
    Deno.writeTextFileSync(bin.home.control("morercpthosts"), "x\n");
    assertStringIncludes((await bin.run("qmail-showctl")).stdout, "morercpthosts.cdb is missing");
    Deno.writeTextFileSync(bin.home.control("morercpthosts.cdb"), "x\n");
    Deno.utimeSync(bin.home.control("morercpthosts.cdb"), 1, 1);
    assertStringIncludes((await bin.run("qmail-showctl")).stdout, "morercpthosts.cdb is older than morercpthosts");
  });

  const exists = (path: string) => {
    try {
      return Deno.statSync(path) !== undefined;
    } catch {
      return false;
    }
  };
  const [logger, syslog] = [exists("/usr/bin/logger"), exists("/dev/log")];
  const unless = !logger ? " (skipped: logger is not installed)" : syslog ? " (skipped: /dev/log is somebody's)" : "";
  it(`splogger says that there is no syslog${unless}`, { ignore: unless !== "" }, async () => {
    const { code, stderr } = await bin.run("splogger test 3", { input: "hello\n" });
    assertEquals(code, 111);
    assertStringIncludes(stderr, "splogger: fatal: Error: logger failed\n");
    assertEquals((await bin.run("splogger", { input: "\n\n" })).code, 0);
  });

  const missing = logger ? namespaceMissing() : "logger is not installed";
  it(`splogger gives logger the lines by their priority${missing && ` (skipped: ${missing})`}`, {
    ignore: missing !== "",
  }, async () => {
    const out = `${bin.dir}/logged`;
    Deno.writeTextFileSync(`${bin.dir}/logger`, `#!/bin/sh\n{ echo "$*"; cat; } >"${out}.\${4#*.}"\n`, { mode: 0o755 });
    const line = withBound(`${bin.dir}/logger`, "/usr/bin/logger", 'splogger "a tag" 3');
    const { code, stderr } = await bin.run(line, { input: "one\nalert: two\nthree\n\nfo\xffur" });
    assertEquals([code, stderr], [0, ""]);
    const read = (name: string) => Deno.readTextFileSync(`${out}.${name}`).replaceAll(/^[0-9]{10}\.[0-9]{6}/gm, "T");
    assertEquals(read("info"), "--tag a tag --priority daemon.info --socket-errors=on\nT one\nT three\nT fo?ur\n");
    assertEquals(read("alert"), "--tag a tag --priority daemon.alert --socket-errors=on\nT alert: two\n");
  });

  // Its way to have a connection as descriptor 0; other shells have none.
  const bash = exists("/bin/bash");
  const unlessBash = bash ? "" : " (skipped: bash is not installed)";
  it(`tcp-env tells a program of the connection${unlessBash}`, { ignore: !bash }, async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const client = bin.run(`bash -c 'exec tcp-env -R env <>/dev/tcp/127.0.0.1/${port}'`, {
      env: { SENDER: "a@b", TCPREMOTEINFO: "old" },
    });
    const connection = await within(listener.accept(), 10_000, () => "the connection");
    const { code, stdout } = await client;
    const { port: peer } = connection.remoteAddr as Deno.NetAddr;
    connection.close();
    listener.close();
    assertEquals(code, 0);
    const lines = stdout.split("\n");
    for (
      const line of [
        "PROTO=TCP",
        "SENDER=a@b",
        `TCPLOCALPORT=${peer}`,
        "TCPREMOTEIP=127.0.0.1",
        `TCPREMOTEPORT=${port}`,
      ]
    ) {
      assertEquals(lines.includes(line), true, `${line} in ${stdout}`);
    }
    assertEquals(lines.some((line) => line.startsWith("TCPREMOTEINFO")), false);
  });

  it("tcp-env believes what is there already, and wants a connection otherwise", async () => {
    const { code, stdout } = await bin.run("PROTO=TCP tcp-env printenv PROTO");
    assertEquals([code, stdout], [0, "TCP\n"]);
    const stderr = "tcp-env: fatal: unable to get the TCP connection of descriptor 0\n";
    assertEquals(await bin.run("tcp-env true"), { code: 111, stdout: "", stderr });
    assertEquals((await bin.run("tcp-env")).code, 100);
  });
});
