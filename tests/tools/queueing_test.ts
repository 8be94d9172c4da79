/**
 * forward, condredirect and qreceipt as .qmail lines call them: by the daemon of a whole system, and by a program that
 * QMAILQUEUE names.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { fromOctets } from "../../components/lib/octets.ts";
import { refusal } from "../../components/tools/support/queue_mail.ts";
import { formatCallerEnvelope } from "../../components/lib/queue/caller_envelope.ts";
import { crashed } from "../../components/lib/queue/queue_program.ts";
import { asksForNotice, formatNotice } from "../../components/tools/qreceipt.ts";
import { newMail, waitForMailWith } from "../support/maildir.ts";
import { isQueueEmpty } from "../support/queue_files.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";
import { type Bin, makeBin, runLine, type RunOptions } from "./support/bin.ts";

describe("refusal()", () => {
  const table = [
    { code: 11, want: [100, "envelope address too long for qq (#5.1.3)"] },
    { code: 31, want: [100, "mail server permanently rejected message (#5.3.0)"] },
    { code: 53, want: [111, "qq write error or disk full (#4.3.0)"] },
    { code: 74, want: [111, "communication with mail server failed (#4.4.2)"] },
    { code: 1, want: [111, "qq temporary problem (#4.3.0)"] },
    { code: crashed, want: [111, "qq crashed (#4.3.0)"] },
  ] as const;
  for (const { code, want } of table) {
    it(`says what ${code === crashed ? "a crash" : code} means`, () => {
      const { code: exit, message } = refusal(code);
      assertEquals([exit, message], [...want]);
    });
  }
});

describe("formatCallerEnvelope()", () => {
  it("writes what qmail-queue reads", () => {
    assertEquals(formatCallerEnvelope({ sender: "", recipients: ["a@b", "\xff"] }), "F\0Ta@b\0T\xff\0\0");
  });
});

describe("asksForNotice()", () => {
  const name = "Notice-Requested-Upon-Delivery-To";
  const table = [
    { field: `${name}: amy@a.example\n`, want: true },
    { field: `${name.toUpperCase()} : bob@a.example,\n\tAmy (A.) <amy@a.example>\n`, want: true },
    { field: `${name}: "amy"@a.example\n`, want: true },
    { field: `${name}: amy@a.example.org\n`, want: false },
    { field: `${name}: bob@a.example\n`, want: false },
    { field: `${name}: (((\n`, want: false },
    { field: `${name}:\n`, want: false },
    { field: "To: amy@a.example\n", want: false },
  ];
  for (const { field, want } of table) {
    it(`says ${want} to ${JSON.stringify(field)}`, () => assertEquals(asksForNotice([field], "amy@a.example"), want));
  }
});

describe("formatNotice()", () => {
  it("lets no address begin a line or a field of its own", () => {
    const notice = formatNotice("a\nBcc: b@c", 'x" <y\r\nz@d');
    const [header] = notice.split("\n\n");
    assertEquals(header!.split("\n").map((line) => line.replace(/:.*/, "")), [
      "From",
      "To",
      "Subject",
      "Auto-Submitted",
    ]);
    assertMatch(notice, /^To: "x\\" <y__z"@d$/m);
  });
});

const message = "Subject: test\n\nHello\n";
const env = {
  SENDER: "amy@a.example",
  NEWSENDER: "list-owner@localhost",
  DTLINE: "Delivered-To: list@localhost\n",
};

describe("forward, condredirect and qreceipt, with the daemon", () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system?.stop());

  const run = (line: string, options: RunOptions = { env, input: message }) =>
    runLine(system.home, system.baseDir, line, options);
  const about = (subject: string) => ({ env, input: `Subject: ${subject}\n\nHello\n` });

  it("forward puts DTLINE in front and has NEWSENDER as sender", async () => {
    const { code, stdout, stderr } = await run("forward demo@localhost demo-x@localhost", about("forwarded"));
    assertEquals([code, stdout], [0, ""]);
    assertMatch(stderr, /^forward: qp [0-9]+\n$/);
    const mail = await waitForMailWith(system.home, "Subject: forwarded");
    assertMatch(mail, /^Return-Path: <list-owner@localhost>\n/);
    assertStringIncludes(mail, `\nDelivered-To: list@localhost\nSubject: forwarded\n\nHello\n`);
    await waitFor(() => newMail(system.home).length === 2, "both copies");
  });

  it("forward keeps senders, addresses and content octet for octet", async () => {
    const octets = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).join("");
    const line = `NEWSENDER=$(printf 'a"\\351 '"'"'$(id)@x') exec forward "$(printf 'demo-\\377$(id);\\\\@localhost')"`;
    const { code } = await run(line, { env, input: `Subject: octets\n\n${octets}` });
    assertEquals(code, 0);
    const mail = await waitForMailWith(system.home, "Subject: octets");
    // How qmail-local quotes it is its own business.
    assertMatch(mail, /^Return-Path: <"?a\\?"\xe9 '\$\(id\)"?@x>\nDelivered-To: demo-\xff\$\(id\);\\@localhost\n/);
    assertStringIncludes(mail, octets);
  });

  it("forward takes 20 MB from a pipe", async () => {
    const line = `head -c 20000000 /dev/zero | tr '\\0' x | forward demo@localhost`;
    assertEquals((await run(line)).code, 0);
    await waitForMailWith(system.home, "Delivered-To: list@localhost\nxxxxx");
  });

  const isRoot = Deno.uid() === 0;
  it(`forward serves any user${isRoot ? "" : " (skipped: not root)"}`, { ignore: !isRoot }, async () => {
    const { code } = await run(
      "exec setpriv --reuid 65534 --regid 65534 --clear-groups forward demo@localhost",
      about("of another"),
    );
    assertEquals(code, 0);
    assertStringIncludes(await waitForMailWith(system.home, "Subject: of another"), "invoked by uid 65534)");
  });

  const wrong = [
    { line: "forward", stderr: "forward: fatal: usage: forward address ...\n" },
    { line: "env -u NEWSENDER forward a@b", stderr: "forward: fatal: NEWSENDER not set\n" },
    { line: "env -u DTLINE forward a@b", stderr: "forward: fatal: DTLINE not set\n" },
    {
      line: "forward $(printf '%01003d' 1)@localhost",
      stderr: "forward: fatal: envelope address too long for qq (#5.1.3)\n",
    },
    {
      line: "condredirect a@b",
      stderr: "condredirect: fatal: usage: condredirect newaddress program [ arg ... ]\n",
    },
    { line: "qreceipt", stderr: "qreceipt: fatal: usage: qreceipt deliveryaddress\n" },
    { line: "env -u SENDER qreceipt a@b", stderr: "qreceipt: fatal: SENDER not set\n" },
  ];
  for (const { line, stderr } of wrong) {
    it(`${line.slice(0, 60)}: 100`, async () => assertEquals(await run(line), { code: 100, stdout: "", stderr }));
  }

  it("condredirect redirects by a file what a program read, and keeps the sender", async () => {
    const { code, stderr } = await run("condredirect demo@localhost grep -q Hello", about("redirected"));
    assertEquals(code, 99);
    assertMatch(stderr, /^condredirect: qp [0-9]+\n$/);
    const mail = await waitForMailWith(system.home, "Subject: redirected");
    assertMatch(mail, /^Return-Path: <amy@a\.example>\n/);
    assertStringIncludes(mail, "\nDelivered-To: list@localhost\nSubject: redirected\n\nHello\n");
  });

  it("condredirect redirects by a pipe what a program read or did not read", async () => {
    for (const program of ["grep -q Hello", "true"]) {
      const subject = `piped to ${program}`;
      assertEquals((await run(`cat | condredirect demo@localhost ${program}`, about(subject))).code, 99);
      assertStringIncludes(await waitForMailWith(system.home, `Subject: ${subject}`), "\n\nHello\n");
    }
  });

  it("condredirect queues nothing where the program does not say yes", async () => {
    assertEquals(await run("condredirect demo@localhost false"), { code: 0, stdout: "", stderr: "" });
    const later = { code: 111, stdout: "", stderr: "condredirect: fatal: temporary child error\n" };
    assertEquals(await run("condredirect demo@localhost sh -c 'exit 111'"), later);
    const crashed = { code: 111, stdout: "", stderr: "condredirect: fatal: child crashed\n" };
    assertEquals(await run("condredirect demo@localhost sh -c 'kill -9 $$'"), crashed);
  });

  it("qreceipt answers from the null sender", async () => {
    const input = `Notice-Requested-Upon-Delivery-To: amy@a.example\n\nx\n`;
    const sender = { ...env, SENDER: "demo@localhost" };
    const { code, stderr } = await run("qreceipt amy@a.example", { env: sender, input });
    assertEquals(code, 0);
    assertMatch(stderr, /^qreceipt: qp [0-9]+\n$/);
    const mail = await waitForMailWith(system.home, "Subject: success notice");
    assertMatch(mail, /^Return-Path: <>\n/);
    assertStringIncludes(mail, "\nTo: demo@localhost\n");
  });

  it("qreceipt says nothing where nobody asks, and to nobody", async () => {
    const silent = { code: 0, stdout: "", stderr: "" };
    const input = `Notice-Requested-Upon-Delivery-To: amy@a.example\n\nx\n`;
    assertEquals(await run("qreceipt bob@a.example", { env, input }), silent);
    for (const SENDER of ["", "#@[]"]) {
      assertEquals(await run("qreceipt amy@a.example", { env: { ...env, SENDER }, input }), silent);
    }
  });

  it("say 111 while the daemon is away, and leave nothing", async () => {
    await waitFor(() => isQueueEmpty(system.home), "an empty queue");
    await system.end();
    const stderr = "forward: fatal: communication with mail server failed (#4.4.2)\n";
    assertEquals(await run("forward demo@localhost"), { code: 111, stdout: "", stderr });
  });
});

describe("forward and the others, with QMAILQUEUE", () => {
  let bin: Bin;
  beforeAll(() => {
    bin = makeBin(["forward", "condredirect", "qreceipt"]);
    Deno.writeTextFileSync(
      `${bin.dir}/queue`,
      '#!/bin/sh\ncat >"$OUT.message" && cat <&1 >"$OUT.envelope" && pwd >"$OUT.dir" && exit "${CODE:-0}"\n',
      { mode: 0o755 },
    );
  });
  afterAll(() => bin?.[Symbol.dispose]());

  const read = (name: string) => fromOctets(Deno.readFileSync(`${bin.dir}/${name}`));
  const withQueue = (more: Record<string, string> = {}) => ({
    input: message,
    env: { ...env, QMAILQUEUE: `${bin.dir}/queue`, OUT: `${bin.dir}/out`, ...more },
  });

  it("the program has the message on descriptor 0, the envelope on 1, and the caller's environment", async () => {
    const { code, stderr } = await bin.run("forward a@b \"$(printf 'c\\351')\"", withQueue());
    assertEquals(code, 0);
    assertMatch(stderr, /^forward: qp [0-9]+\n$/);
    assertEquals(read("out.message"), `Delivered-To: list@localhost\n${message}`);
    assertEquals(read("out.envelope"), "Flist-owner@localhost\0Ta@b\0Tc\xe9\0\0");
    assertEquals(read("out.dir"), `${bin.home.dir}\n`);
  });

  it("its exit code says what becomes of the message", async () => {
    const ends = [
      { CODE: "31", code: 100, text: "mail server permanently rejected message (#5.3.0)" },
      { CODE: "71", code: 111, text: "mail server temporarily rejected message (#4.3.0)" },
    ];
    for (const { CODE, code, text } of ends) {
      const stderr = `forward: fatal: ${text}\n`;
      assertEquals(await bin.run("forward a@b", withQueue({ CODE })), { code, stdout: "", stderr });
    }
  });

  it("condredirect uses it, too, and qreceipt", async () => {
    assertEquals((await bin.run("condredirect a@b true", withQueue())).code, 99);
    assertEquals(read("out.envelope"), "Famy@a.example\0Ta@b\0\0");
    const input = "Notice-Requested-Upon-Delivery-To: c@d\n\n";
    assertEquals((await bin.run("qreceipt c@d", { ...withQueue(), input })).code, 0);
    assertEquals(read("out.envelope"), "F\0Tamy@a.example\0\0");
  });

  it("one that is not there, and one that refuses unread, are reasons to try again", async () => {
    const gone = await bin.run("forward a@b", withQueue({ QMAILQUEUE: "/nowhere/queue" }));
    assertEquals(gone.code, 111);
    Deno.writeTextFileSync(`${bin.dir}/refuse`, "#!/bin/sh\nexit 53\n", { mode: 0o755 });
    const line = "head -c 3000000 /dev/zero | forward a@b";
    const refused = await bin.run(line, withQueue({ QMAILQUEUE: `${bin.dir}/refuse` }));
    assertEquals(refused.stderr, "forward: fatal: qq write error or disk full (#4.3.0)\n");
    assertEquals(refused.code, 111);
  });

  it("gets no end of the envelope where the message cannot be read", async () => {
    // A folder opens, and reading it fails.
    const { code } = await bin.run("forward a@b <.", withQueue({ OUT: `${bin.dir}/unread` }));
    assertEquals(code, 111);
    let envelope = "";
    try {
      envelope = read("unread.envelope");
    } catch (error) {
      assert(error instanceof Deno.errors.NotFound);
    }
    assertEquals(envelope, "");
  });
});

describe("the scripts", () => {
  it("give forward the right to run a program only where QMAILQUEUE names one", () => {
    using bin = makeBin(["forward", "preline"]);
    const script = Deno.readTextFileSync(bin.home.bin("forward"));
    assertEquals(script.match(/--allow-run\S*/g), ["--allow-run=/bin/sh"]);
    assertMatch(script, /^also=\n\/bin\/grep -qzE '\^\(QMAILQUEUE\)=\.' \S+ && also='--allow-run=\/bin\/sh /m);
    assertEquals(Deno.readTextFileSync(bin.home.bin("preline")).match(/--allow-\S*/g), ["--allow-run=/bin/sh"]);
  });
});
