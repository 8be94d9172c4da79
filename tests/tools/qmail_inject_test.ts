/**
 * qmail-inject, sendmail and mailsubj as programs: descriptors, environment, exit codes, and what a hostile caller sends.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { tools } from "../../components/tools/permissions.ts";
import { homeAt } from "../../config/home.ts";
import { type Bin, makeBin, type RunOptions } from "./support/bin.ts";

const env = { USER: "joe" };

describe("qmail-inject", () => {
  let bin: Bin;

  /** Runs a line with QMAILQUEUE set to a program that notes its envelope (NUL as LF) and keeps the message. */
  async function queued(line: string, options: RunOptions = {}) {
    const ran = await bin.run(line, { ...options, env: { ...env, QMAILQUEUE: `${bin.dir}/qq`, ...options.env } });
    const read = (name: string) => Deno.readTextFileSync(`${bin.dir}/${name}`);
    return { ...ran, envelope: read("envelope").split("\n"), message: read("message") };
  }

  beforeAll(() => {
    bin = makeBin(["qmail-inject", "sendmail", "mailsubj", "mailq"]);
    Deno.mkdirSync(bin.home.control(""), { recursive: true });
    Deno.writeTextFileSync(bin.home.control("me"), "host.example.com\n");
    const program = `#!/bin/sh\ncat >${bin.dir}/message; tr '\\0' '\\n' <&1 >${bin.dir}/envelope\n`;
    Deno.writeTextFileSync(`${bin.dir}/qq`, program, { mode: 0o755 });
  });
  afterAll(() => bin?.[Symbol.dispose]());

  it("gives QMAILQUEUE's program message and envelope, and says nothing", async () => {
    const { envelope, message, ...ran } = await queued("qmail-inject", { input: "To: a, b@c.d\nDate: d\n\nx" });
    assertEquals(ran, { code: 0, stdout: "", stderr: "" });
    assertEquals(envelope, ["Fjoe@host.example.com", "Tb@c.d", "Ta@host.example.com", "", ""]);
    assertMatch(
      message,
      /^Message-ID: <[0-9]{14}\.[0-9]+\.qmail@host\.example\.com>\nFrom: joe@host\.example\.com\nTo: a@host\.example\.com, b@c\.d\nDate: d\n\nx\n$/,
    );
  });

  it("reads control files where no variable says otherwise", async () => {
    const files = { defaulthost: "dh", defaultdomain: "dd.example", plusdomain: "pd.example", idhost: "id.example" };
    for (const [file, text] of Object.entries(files)) Deno.writeTextFileSync(bin.home.control(file), `${text}\n`);
    const { stdout } = await bin.run("qmail-inject -n", { input: "To: a, b@c, d@e+\n", env });
    assertStringIncludes(stdout, "To: a@dh.dd.example, b@c.dd.example, d@e.pd.example\n");
    assertStringIncludes(stdout, ".qmail@id.example>\n");
    const other = await bin.run("qmail-inject -n", {
      input: "To: a\n",
      env: { ...env, QMAILDEFAULTHOST: "x.example", QMAILIDHOST: "y.example" },
    });
    assertStringIncludes(other.stdout, "To: a@x.example\n");
    assertStringIncludes(other.stdout, ".qmail@y.example>\n");
    for (const file of Object.keys(files)) Deno.removeSync(bin.home.control(file));
  });

  it("adds no domain to the one label of a machine without a domain", async () => {
    Deno.writeTextFileSync(bin.home.control("me"), "localhost\n");
    const { stdout } = await bin.run("qmail-inject -n", { input: "To: a, b@localhost, c@d\n", env });
    Deno.writeTextFileSync(bin.home.control("me"), "host.example.com\n");
    assertMatch(stdout, /^Return-Path: <joe@localhost>\n/);
    assertStringIncludes(stdout, "\nTo: a@localhost, b@localhost, c@d\n");
  });

  it("keeps octets that are no UTF-8, of arguments, variables and message", async () => {
    const line = `name=$(printf 'J\\374rgen') to=$(printf 'n\\344@b.c'); QMAILNAME="$name" qmail-inject -n -H "$to"`;
    const { stdout } = await bin.run(line, { input: "To: \xff@b.c\n\n\0\xfe\r\n", env });
    assertStringIncludes(stdout, 'From: "J\xfcrgen" <joe@host.example.com>\nTo: \xff@b.c\n\n\0\xfe\r\n');
  });

  it("prints for -n, with the sender in front, and queues nothing", async () => {
    const { code, stdout } = await bin.run("qmail-inject -n -f 'a b@c.d'", { input: "To: x@y.z\nFrom: f@g.h\n\nb\n" });
    assertEquals(code, 0);
    assertMatch(stdout, /^Return-Path: <"a b"@c\.d>\nDate: .*\nMessage-ID: .*\nTo: x@y\.z\nFrom: f@g\.h\n\nb\n$/);
  });

  const failures = [
    { line: "qmail-inject", input: "From: (((\n", code: 100, says: "unable to parse this line:\nFrom: (((\n" },
    {
      line: "qmail-inject -n",
      input: "From: \x1b[2J(\n",
      code: 100,
      says: "unable to parse this line:\nFrom: ?[2J(\n",
    },
    { line: "qmail-inject 'a@('", input: "x", code: 100, says: "unable to parse address: a@(\n" },
    { line: "qmail-inject", input: "Subject: to nobody\n\nx\n", code: 100, says: "no recipients\n" },
    { line: "qmail-inject -x", input: "", code: 100, says: "illegal option -- x\n" },
    { line: "qmail-inject a <.", input: "", code: 111, says: "read error\n" },
    { line: "qmail-inject a", input: "", code: 111, says: "communication with mail server failed (#4.4.2)\n" },
    {
      line: "qmail-inject a",
      input: "",
      env: { QMAILQUEUE: "/nonexistent" },
      code: 111,
      says: "qq temporary problem (#4.3.0)\n",
    },
    {
      line: "qmail-inject a",
      input: "",
      env: { QMAILQUEUE: "./no31" },
      code: 100,
      says: "mail server permanently rejected message (#5.3.0)\n",
    },
    {
      line: "qmail-inject a",
      input: "",
      env: { QMAILQUEUE: "./says" },
      code: 100,
      says: "a word of my own (#5.7.1)\n",
    },
    {
      line: `qmail-inject ${"x".repeat(1002)}`,
      input: "",
      code: 100,
      says: "envelope address too long for qq (#5.1.3)\n",
    },
  ];
  for (const { line, input, env, code, says } of failures) {
    it(`says ${JSON.stringify(says)} and ${code} for ${line.slice(0, 40)}${env === undefined ? "" : ` with ${env.QMAILQUEUE}`}`, async () => {
      Deno.mkdirSync(bin.home.dir, { recursive: true });
      Deno.writeTextFileSync(`${bin.home.dir}/no31`, "#!/bin/sh\nexit 31\n", { mode: 0o755 });
      const says82 = "#!/bin/sh\nprintf 'Da word of my own (#5.7.1)' >&6; exit 82\n";
      Deno.writeTextFileSync(`${bin.home.dir}/says`, says82, { mode: 0o755 });
      const ran = await bin.run(line, { input, env: env ?? {} });
      assertEquals([ran.code, ran.stdout], [code, ""]);
      // env(1) says, too, what it could not run.
      assert(ran.stderr.endsWith(`qmail-inject: fatal: ${says}`), ran.stderr);
    });
  }

  it("says 111 where a control file is malformed", async () => {
    Deno.writeTextFileSync(bin.home.control("idhost"), "a b\n");
    const { code, stderr } = await bin.run("qmail-inject -n", { env });
    Deno.removeSync(bin.home.control("idhost"));
    assertEquals([code, stderr.startsWith('qmail-inject: fatal: Cannot read control file "idhost": ')], [111, true]);
  });

  it("gives the program no envelope where the message cannot be read to its end", async () => {
    Deno.writeTextFileSync(`${bin.dir}/envelope`, "none\n");
    const { code, envelope } = await queued("qmail-inject a <.");
    assertEquals([code, envelope], [111, ["none", ""]]);
  });

  it("reads the lists of QMAILMFTFILE, and goes on without where there is no such file", async () => {
    Deno.writeTextFileSync(`${bin.dir}/my lists`, "# mine\nL@x.example  \n\n");
    const run = (QMAILMFTFILE: string) =>
      bin.run("qmail-inject -n", { input: "To: l@X.example, b@c.d\n", env: { ...env, QMAILMFTFILE } });
    assertStringIncludes((await run("my lists")).stdout, "\nMail-Followup-To: l@X.example,\n  b@c.d\nTo: ");
    const { code, stdout, stderr } = await run("not there");
    assertEquals([code, stdout.includes("Followup"), stderr], [0, false, ""]);
  });

  it("refuses a header of 100 MB: 100, with the limit", async () => {
    for (
      const line of [
        "(printf X:; head -c 100000000 /dev/zero) | qmail-inject a",
        "yes X: y | head -c 100000000 | qmail-inject a",
      ]
    ) {
      const { code, stderr } = await bin.run(line, { env });
      assertEquals([code, stderr], [100, "qmail-inject: fatal: header is longer than 4194304 bytes\n"]);
    }
  });

  it("refuses more recipients than the queue takes: 100, with the limit", async () => {
    const table = [
      { recipients: 1_000_000, says: "header is longer than 4194304 bytes" },
      { recipients: 200_000, says: "more than 131072 addresses in the header" },
      { recipients: 130_000, says: "envelope is longer than 2097152 bytes" },
    ];
    for (const { recipients, says } of table) {
      const line = `(printf To:; yes address@b.example, | head -n ${recipients} | sed 's/^/ /') | qmail-inject`;
      const { code, stderr } = await bin.run(line, { env });
      assertEquals([code, stderr], [100, `qmail-inject: fatal: ${says}\n`]);
    }
  });

  it("passes on a body of 1.2 GB as it comes, with less memory than that", async () => {
    const count = `#!/bin/sh\nwc -c >${bin.dir}/message; tr '\\0' '\\n' <&1 >${bin.dir}/envelope\n`;
    Deno.writeTextFileSync(`${bin.dir}/count`, count, { mode: 0o755 });
    const line = "(printf 'X: y\\n\\n'; head -c 1200000000 /dev/zero) | (ulimit -d 1000000; qmail-inject a@b.c)";
    const { code, stderr, message } = await queued(line, { env: { QMAILQUEUE: `${bin.dir}/count` } });
    assertEquals([code, stderr], [0, ""]);
    assert(Number(message) > 1_200_000_000, message);
  });

  it("as sendmail has a From that follows -f, and -F's name", async () => {
    const { envelope, message } = await queued("sendmail -i -FCronDaemon -f root@x.example -oem amy", {
      input: "Subject: s\n\na\n.\nb\n",
      env: { QMAILNAME: "no", QMAILHOST: "no.example" },
    });
    assertEquals(envelope.slice(0, 2), ["Froot@x.example", "Tamy@host.example.com"]);
    assertStringIncludes(message, '\nFrom: "CronDaemon" <root@x.example>\n');
    assert(message.endsWith("\nSubject: s\n\na\n.\nb\n"));
  });

  it("as sendmail -t takes recipients of the header and the command line, Bcc included but not shown", async () => {
    const { envelope, message } = await queued("sendmail -t -i c@d.e", {
      input: "To: a@b.c\r\nBcc: x@y.z\r\nX-PHP: 1\r\n\r\nline\n",
    });
    assertEquals(envelope.slice(1, 4), ["Tc@d.e", "Ta@b.c", "Tx@y.z"]);
    assert(message.endsWith("\nTo: a@b.c\nX-PHP: 1\n\nline\n"), message);
  });

  it("works as sendmail by a link of another place, with nothing in the environment", async () => {
    Deno.symlinkSync(bin.home.bin("sendmail"), `${bin.dir}/link`);
    const { code, envelope } = await queued(`/usr/bin/env -i QMAILQUEUE=${bin.dir}/qq ./link -t`, {
      input: "To: a@b.c\n",
    });
    assertEquals([code, ...envelope.slice(0, 2)], [0, "Fanonymous@host.example.com", "Ta@b.c"]);
  });

  it("as mailsubj has subject and recipients of the command line", async () => {
    const { envelope, message } = await queued("mailsubj 'a subject' amy b@c.d", { input: "text: x\n" });
    assertEquals(envelope.slice(1, 3), ["Tb@c.d", "Tamy@host.example.com"]);
    assert(message.endsWith("\nSubject: a subject\nTo: amy@host.example.com, b@c.d\n\ntext: x\n"), message);
    assertEquals((await bin.run("mailsubj x")).code, 100);
  });

  it("as sendmail says what it does not do: 100", async () => {
    for (const option of ["-bd", "-bi"]) {
      const { code, stderr } = await bin.run(`sendmail ${option}`);
      assertEquals([code, stderr.startsWith("sendmail: fatal: ")], [100, true]);
    }
    assertEquals(await bin.run("sendmail -q"), { code: 0, stdout: "", stderr: "" });
  });

  it("as mailq and sendmail -bp lists the queue", async () => {
    for (const folder of ["info", "mess", "local", "remote"]) {
      for (let part = 0; part < 23; part++) Deno.mkdirSync(bin.home.queue(folder, String(part)), { recursive: true });
    }
    Deno.mkdirSync(bin.home.queue("bounce"), { recursive: true });
    for (const line of ["mailq", "sendmail -bp"]) {
      assertEquals(await bin.run(line), { code: 0, stdout: "", stderr: "" });
    }
  });
});

describe("the grant of qmail-inject", () => {
  const home = homeAt("/nowhere");
  const grant = tools.find(({ name }) => name === "qmail-inject")!.permissions(home);

  for (const missing of grant.read!) {
    const file = missing.slice(missing.lastIndexOf("/") + 1);
    it(`is needed for ${file}: 111 without`, async () => {
      using bin = makeBin(["qmail-inject"], (tool) => ({
        ...tool,
        permissions: (home) => {
          const whole = tool.permissions(home);
          return { ...whole, read: whole.read!.filter((path) => path !== home.control(file)) };
        },
      }));
      Deno.mkdirSync(bin.home.control(""), { recursive: true });
      Deno.writeTextFileSync(bin.home.control("me"), "host.example.com\n");
      const { code, stderr } = await bin.run("qmail-inject -n");
      assertEquals([code, stderr.includes(`Cannot read control file "${file}"`)], [111, true], stderr);
    });
  }

  it("is needed for the daemon and the caller's uid: 111 without", async () => {
    for (const kind of ["calls", "sys"] as const) {
      using bin = makeBin(["qmail-inject"], (tool) => ({
        ...tool,
        permissions: (home) =>
          Object.fromEntries(Object.entries(tool.permissions(home)).filter(([key]) => key !== kind)),
      }));
      Deno.mkdirSync(bin.home.control(""), { recursive: true });
      Deno.writeTextFileSync(bin.home.control("me"), "host.example.com\n");
      const { code, stderr } = await bin.run("qmail-inject a");
      assertEquals([code, stderr.includes("NotCapable")], [111, true], stderr);
    }
  });

  for (const variable of ["QMAILQUEUE", "QMAILMFTFILE"]) {
    it(`has a shell for ${variable}, and needs it: 111 where the script gives none for that`, async () => {
      using bin = makeBin(["qmail-inject"], (tool) => ({
        ...tool,
        runsFor: tool.runsFor!.filter((name) => name !== variable),
      }));
      Deno.mkdirSync(bin.home.control(""), { recursive: true });
      Deno.writeTextFileSync(bin.home.control("me"), "host.example.com\n");
      const { code, stderr } = await bin.run("qmail-inject a", { env: { [variable]: "x" } });
      assertEquals([code, stderr.includes("NotCapable")], [111, true], stderr);
    });
  }

  it("names no other file, no network, and no program where neither is set", () => {
    assertEquals(Object.keys(grant).sort(), ["calls", "read", "sys"]);
    assertEquals([grant.calls, grant.sys], [["qmail-queue"], ["uid"]]);
    using bin = makeBin(["qmail-inject", "sendmail", "mailsubj"]);
    for (const name of ["qmail-inject", "sendmail", "mailsubj"]) {
      const script = Deno.readTextFileSync(bin.home.bin(name));
      assertEquals(script.match(/--allow-run\S*/g), ["--allow-run=/bin/sh"], name);
      assertMatch(
        script,
        /^also=\n\/bin\/grep -qzE '\^\(QMAILQUEUE\|QMAILMFTFILE\)=\.' \S+ && also='--allow-run=\/bin\/sh /m,
      );
    }
  });
});
