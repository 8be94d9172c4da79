/**
 * Whether each grant is exact: the whole system does all it can do while deno records every permission check; then each
 * entry of a grant must have been needed, and nothing outside it asked for. Deno 2.9.6 keeps no record of the checks for
 * starting programs: those entries count as used when a process of the name was there.
 * @module
 */
import { connect } from "node:net";
import { formatNetstring } from "../../components/lib/qmtp/netstring.ts";
import { hearAll, send as sayOctets } from "../qmtp/client.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { existsSync } from "@std/fs";
import { readConfig } from "../../components/supervisor/config.ts";
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { Submission } from "../../components/lib/queue/submission.ts";
import { ask } from "../../components/lib/wire/ask.ts";
import { formatTokenFile } from "../../components/lib/admin_token/token_file.ts";
import { Client } from "../../components/lib/wire/client.ts";
import { parsePauseReply } from "../../components/lib/wire/control_protocol.ts";
import { encodeFrame } from "../../components/lib/wire/frame.ts";
import { parseContentReply, parseListReply } from "../../components/lib/wire/qread_protocol.ts";
import { type Config, type Rights, rightsOf } from "../../components/lib/permissions/grant.ts";
import { manifests } from "../../config/manifests.ts";
import { askSupervisor } from "../../scripts/ask.ts";
import { Pop3Client } from "../qmail-popup/pop3_client.ts";
import { type Asked, covers, outside, readAudit, unused } from "../support/audit.ts";
import { submit } from "../support/dialogue.ts";
import { type DnsServer, startDnsServer } from "../support/dns_server.ts";
import { freeLowPort } from "../support/free_low_port.ts";
import { sendMail, SmtpClient } from "../support/smtp_client.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp_sink.ts";
import { filterNames } from "../../components/lib/filters/chain.ts";
import { startSystem, type System } from "../support/system.ts";
import { runTask } from "../support/task.ts";
import { waitFor, within } from "../support/wait.ts";

const isRoot = Deno.uid() === 0;
const sender = "demo@localhost";
const adminToken = "the-operators-token";
const short = "Subject: short\n\nhello\n";
/** Over 128 KiB, so that it travels in pieces. */
const long = `Subject: long\n\n${`${"x".repeat(70)}\n`.repeat(3000)}`;

function mailIn(system: System, mailbox: string): number {
  return Array.from(Deno.readDirSync(system.home.mail("localhost", mailbox, "Maildir", "new"))).length;
}

/** Those send their reports once a day, and filters need somebody to ask: they have audits of their own. */
const elsewhere: readonly string[] = ["tlsrpt", "dmarcrpt", ...filterNames];
const components = manifests.filter(({ name }) => !elsewhere.includes(name));

describe("grants, after a run that does everything", () => {
  let system: System;
  let dns: DnsServer;
  let byAddress: SmtpSink;
  let byName: SmtpSink;
  let byMx: SmtpSink;
  let config: Config;
  const asked = new Map<string, Asked[]>();
  /** Programs that were seen to run, by the name of their component. */
  const ran = new Set<string>();
  let remoteAfterReload: Asked[] = [];
  let newRelay = "";

  const rights = (name: string): Rights => {
    const manifest = manifests.find((manifest) => manifest.name === name)!;
    return rightsOf(manifest.permissions(config), system.home);
  };
  const note = () => {
    for (const { name } of components) asked.set(name, [...asked.get(name) ?? [], ...readAudit(system.auditDir, name)]);
  };
  const send = (from: string, to: readonly string[], content: string) =>
    sendMail(system.ports["smtp"]!, { from, to, content });

  beforeAll(async () => {
    byAddress = await startSmtpSink("127.0.0.1");
    // Not 127.0.0.1: that is this machine itself, and no MX of anybody else.
    byName = await startSmtpSink("127.0.0.2");
    byMx = await startSmtpSink("127.0.0.2");
    dns = await startDnsServer({
      "mx.example MX": [{ preference: 10, exchange: "a.mx.example" }],
      "a.mx.example A": ["127.0.0.2"],
      "relay.example A": ["127.0.0.2"],
      // Nobody listens there.
      "relay.example AAAA": ["::1"],
      "_mta-sts.mx.example TXT": ["v=STSv1; id=1"],
      // Where there is a server, if none that knows a policy.
      "mta-sts.mx.example A": ["127.0.0.2"],
    });
    // A port below 1024 is what takes the rights to setgid and setuid.
    const lowPort = isRoot ? `smtp 127.0.0.77:${freeLowPort("127.0.0.77")}\n` : "";
    system = await startSystem({
      audit: true,
      controls: {
        idleseconds: "0\n",
        // Without a name of its own the home is given a certificate.
        me: undefined,
        admintoken: formatTokenFile(adminToken),
        relayclients: "127.0.0.1\n",
        listeners:
          `smtp 127.0.0.1:0\n${lowPort}submission 127.0.0.1:0\nlmtp unix:lmtp/s\npop3 127.0.0.1:0\nqmtp 127.0.0.1:0\n` +
          "qmqp 127.0.0.1:0\nadmin 127.0.0.1:0\n",
        logfiles: undefined,
        mtasts: undefined,
        dnsbllist: "bl.example\n",
        greylist: "60\n",
        rcptcheck: "check\n",
        nameservers: `127.0.0.1:${dns.port}\n`,
        ipv6: "1\n",
        mxprivate: "1\n",
        delaywarnseconds: "0\n",
        remoteport: `${byMx.port}\n`,
        mtastsport: `${byMx.port}\n`,
        tlsrpt: "1\n",
        smtproutes: `address.example:127.0.0.1:${byAddress.port}\nname.example:relay.example:${byName.port}\n`,
      },
      prepare: ({ dir }) => {
        Deno.writeTextFileSync(`${dir}/check`, '#!/bin/sh\n[ "$RECIPIENT" != demo-refused@localhost ] || exit 100\n');
        Deno.chmodSync(`${dir}/check`, 0o755);
      },
    });
    const read = readConfig(system.home, 0);
    assert("controls" in read);
    config = read;
    try {
      await deliverEverywhere();
      await deferAndBounce();
      await forward();
      await reportDelay();
      await askAll();
      await askAdmin();
      for (const { port } of [byMx, byName]) await askDial6(port);
    } catch (error) {
      throw new Error(`${error}; the log was:\n${system.log.text()}`);
    }
    for (const { name } of (await system.status()).components) ran.add(name);
    note();
    await reload();
    assertEquals(await system.end(), 0);
    note();
  });

  afterAll(async () => {
    await system?.stop();
    await dns?.stop();
    for (const sink of [byAddress, byName, byMx]) await sink?.[Symbol.asyncDispose]();
  });

  async function deliverEverywhere(): Promise<void> {
    await send(sender, ["demo@localhost"], short);
    await send(sender, ["demo@localhost", "amy@address.example", "bob@name.example", "cleo@mx.example"], long);
    await waitFor(() => mailIn(system, "demo") === 2, "both messages in the mailbox");
    for (const sink of [byAddress, byName, byMx]) await waitFor(() => sink.taken.length === 1, "the relayed message");
    const client = await SmtpClient.connect(system.ports["smtp"]!);
    const { recipients } = await client.send({ from: sender, to: ["nobody@localhost"], content: short });
    assertEquals(recipients.map(({ code }) => code), [550]);
    await client.quit();
  }

  async function deferAndBounce(): Promise<void> {
    const mailbox = system.home.mail("localhost", "postmaster");
    Deno.renameSync(mailbox, `${mailbox}.away`);
    await send(sender, ["refused@mx.example", "later@mx.example", "ok@mx.example"], short);
    await send(sender, ["postmaster@localhost", "demo@localhost"], short);
    await system.waitForLog((line) => line.includes("deferral: Unable_to_chdir_to_maildir"));
    await system.waitForLog((line) => line.includes("deferral: 127.0.0.2_does_not_like_recipient"));
    for (const dir of ["info", "local", "remote", "bounce"]) await waitFor(() => holdsFile(dir), `a file in ${dir}`);
    await waitFor(async () => {
      const status = await askSupervisor(system.home, { op: "status" }, "send-status");
      return status["waitingForRetry"] === 2;
    }, "both messages to wait for a retry");
    await askOperators();
    Deno.renameSync(`${mailbox}.away`, mailbox);
    byMx.takeAll();
    await system.signal("qmail-send", "SIGALRM");
    await waitFor(() => mailIn(system, "postmaster") === 1, "the deferred local delivery");
    await waitFor(() => byMx.taken.length === 3, "the deferred remote delivery");
    await system.waitForLog((line) => line.includes("bounce msg"));
    await waitFor(() => mailIn(system, "demo") === 4, "the bounce");
    await send(sender, ["refused@mx.example"], short);
    await waitFor(() => mailIn(system, "demo") === 5, "the bounce of a message that was never in the layout");
    await waitFor(() => !holdsFile("mess"), "an empty queue");
  }

  /** What an operator's page asks for beside the statuses. */
  async function askOperators(): Promise<void> {
    const list = { op: "list", sort: "id", order: "ascending", filter: {}, count: 10 };
    const { rows } = parseListReply(await ask(system.home.socket("qread"), list));
    assertEquals(rows.map(({ state }) => state), ["waiting", "waiting"]);
    const content = { op: "content", message: rows[0]!.id };
    assertEquals(parseContentReply(await ask(system.home.socket("qread"), content))?.message, rows[0]!.id);
    for (const op of ["pause", "resume"]) {
      const reply = await ask(system.home.socket("send-control"), { op, destination: "paused.example" });
      assertEquals(parsePauseReply(reply).changed, true);
    }
  }

  async function forward(): Promise<void> {
    Deno.writeTextFileSync(system.home.mail("localhost", "demo", ".qmail-forward"), "&demo@localhost\n");
    await send(sender, ["demo-forward@localhost"], short);
    await waitFor(() => mailIn(system, "demo") === 6, "the forwarded message");
  }

  /** A message that waits in the layout with what its client asked for. */
  async function reportDelay(): Promise<void> {
    const mailbox = system.home.mail("localhost", "postmaster");
    Deno.renameSync(mailbox, `${mailbox}.away`);
    const queue = new Client(system.home.socket("qmail-queue"));
    const submission = new Submission(queue, "network", 7);
    await submission.write(toOctets(short));
    const notify = { never: false, success: false, failure: false, delay: true };
    const options = { recipients: new Map([[0, { notify }]]) };
    assertEquals((await submission.commit({ sender, recipients: ["postmaster@localhost"], options })).code, 0);
    queue.close();
    await waitFor(() => mailIn(system, "demo") === 7, "the report of its delay");
    for (const dir of ["options", "delayed"]) await waitFor(() => holdsFile(dir), `a file in ${dir}`);
    Deno.renameSync(`${mailbox}.away`, mailbox);
    await waitFor(async () => {
      const status = await askSupervisor(system.home, { op: "status" }, "send-status");
      return status["waitingForRetry"] === 1;
    }, "it to wait for a retry");
    await system.signal("qmail-send", "SIGALRM");
    await waitFor(() => mailIn(system, "postmaster") === 2 && !holdsFile("mess"), "its delivery, and an empty queue");
  }

  function holdsFile(dir: string): boolean {
    const walk = (path: string): boolean =>
      Array.from(Deno.readDirSync(path)).some((entry) => entry.isFile || walk(`${path}/${entry.name}`));
    return walk(system.home.queue(dir));
  }

  /** Whom qmail-smtpd asks: a program, the DNS and tally about strangers, auth about passwords. */
  async function askAll(): Promise<void> {
    const relay = await SmtpClient.connect(system.ports["smtp"]!);
    const refused = await relay.send({ from: sender, to: ["demo-refused@localhost"], content: short });
    assertEquals(refused.recipients.map(({ code }) => code), [553]);
    await relay.quit();
    for (const { name } of Deno.readDirSync(system.home.libexec("grants", "programs"))) ran.add(name);
    const stranger = await SmtpClient.connect(system.ports["smtp"]!, { localAddress: "127.0.0.9" });
    const greylisted = await stranger.send({ from: "s@s.example", to: ["demo@localhost"], content: short });
    assertEquals(greylisted.recipients.map(({ code }) => code), [451]);
    await stranger.quit();
    const args = ["passwd", "demo@localhost", "--password-stdin", "--home", system.home.dir];
    assertEquals((await runTask("user", args, { input: "secret\n" })).code, 0);
    const login = `AUTH PLAIN ${btoa("\0demo@localhost\0secret")}`;
    assertEquals(await submit(system.ports["submission"]!, ["EHLO c.example", login]), ["250", "235"]);
    // The same for QMTP, which the relay's connection and the stranger's ask for as well.
    const refusedThere = await tellQmtp(system.ports["qmtp"]!, "127.0.0.1", "demo-refused@localhost");
    const waitsThere = await tellQmtp(system.ports["qmtp"]!, "127.0.0.9", "demo@localhost");
    const takenThere = await tellQmtp(system.ports["qmtp"]!, "127.0.0.1", "demo@localhost");
    assertEquals([refusedThere, waitsThere, takenThere], ["D", "Z", "K"]);
    using queueing = await Deno.connect({ hostname: "127.0.0.1", port: system.ports["qmqp"]! });
    await sayOctets(queueing, formatNetstring([short, sender, "demo@localhost"].map(formatNetstring).join("")));
    assertMatch(await hearAll(queueing), /^[0-9]+:Kok /);
    using reader = await Pop3Client.connect(system.ports["pop3"]!);
    assertEquals(await reader.logIn("demo@localhost", "secret"), "+OK ");
    // What came in the current second is not shown yet, so not all of it need move.
    assertEquals(await reader.ask("QUIT"), "+OK ");
    // A mailbox elsewhere, in a home that no process is given.
    const line = "eve@localhost:{PLAIN}secret:1:1::/::\n";
    Deno.writeTextFileSync(system.home.users("passwd"), line, { append: true });
    using other = await Pop3Client.connect(system.ports["pop3"]!);
    assertEquals(await other.logIn("eve@localhost", "secret"), "-ERR [SYS/PERM] this user's mail is not read here");
  }

  /** What a QMTP server answers for one recipient of a client at `localAddress`: K, Z or D. */
  function tellQmtp(port: number, localAddress: string, recipient: string): Promise<string> {
    const answer = new Promise<string>((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", localAddress });
      socket.on("error", reject);
      socket.on("data", (chunk: Uint8Array) => {
        resolve(/^[0-9]+:([KZD])/.exec(fromOctets(chunk))?.[1] ?? fromOctets(chunk));
        socket.destroy();
      });
      const text = [`\n${short}`, "s@s.example", formatNetstring(recipient)].map(formatNetstring).join("");
      socket.write(toOctets(text));
    });
    return within(answer, 20_000, () => "an answer over QMTP");
  }

  async function askAdmin(): Promise<void> {
    const url = `http://127.0.0.1:${system.ports["admin"]}`;
    const headers = { Authorization: `Bearer ${adminToken}` };
    const asked = ["status", "queue", "destinations", "log", "config", "doctor?domain=localhost"];
    for (const path of ["/healthz", "/metrics", ...asked.map((name) => `/api/v1/${name}`)]) {
      const answer = await fetch(`${url}${path}`, { headers });
      assertEquals([path, answer.status, await answer.text().then((text) => text !== "")], [path, 200, true]);
    }
  }

  /** Nobody listens there. */
  async function askDial6(port: number): Promise<void> {
    const answer = new Promise<string>((resolve, reject) => {
      const socket = connect({ path: system.home.socket("dial6") });
      socket.on("error", reject);
      socket.on("data", (chunk: Uint8Array) => resolve(fromOctets(chunk)));
      socket.write(encodeFrame({ op: "dial", address: "::1", port }));
    });
    assertEquals(await within(answer, 20_000, () => "an answer of dial6"), "R");
  }

  /** First one that changes no grant, then one that gives qmail-remote another port. */
  async function reload(): Promise<void> {
    system.writeControl("databytes", "10000000\n");
    assertEquals(await system.reload(), []);
    const before = system.log.length;
    await using sink = await startSmtpSink("127.0.0.1");
    newRelay = `127.0.0.1:${sink.port}`;
    system.writeControl("smtproutes", `new.example:${newRelay}\n`);
    assertEquals(await system.reload(), []);
    await system.waitForLog((line) => line === "regranted component=qmail-remote", 10_000, before);
    await system.waitUntilReady();
    await send(sender, ["dora@new.example"], short);
    await waitFor(() => sink.taken.length === 1, "the message for the new relay");
    remoteAfterReload = readAudit(system.auditDir, "qmail-remote");
    const regranted = system.log.lines(before).filter((line) => line.startsWith("regranted"));
    assertEquals(regranted, ["regranted component=qmail-remote"]);
  }

  for (const { name } of components) {
    it(`${name} needed every entry of its grant`, () => {
      const { net, ...others } = rights(name);
      // What lies beyond this machine cannot be tried here.
      const near = net.filter((entry) => !/^\[(2000|fc00)::\]\//.test(entry));
      const left = unused(asked.get(name)!, { ...others, net: near, run: [] });
      assertEquals(left, []);
      const notRun = rights(name).run.map((program) => program.slice(program.lastIndexOf("/") + 1))
        .filter((program) => !ran.has(program) && !elsewhere.includes(program));
      assertEquals(notRun, []);
    });

    it(`${name} asked for nothing outside its grant`, () => {
      // After the reload qmail-remote has another port; that record is looked at by itself.
      const records = asked.get(name)!.filter(({ value }) => name !== "qmail-remote" || value !== newRelay);
      assertEquals(outside(records, rights(name)), []);
    });
  }

  it("qmail-remote asked for its new relay once a reload had granted it, and for nothing else", () => {
    const after = readConfig(system.home, 0);
    assert("controls" in after);
    const manifest = manifests.find(({ name }) => name === "qmail-remote")!;
    assertEquals(outside(remoteAfterReload, rightsOf(manifest.permissions(after), system.home)), []);
    assert(remoteAfterReload.some(({ kind, value }) => kind === "net" && covers(kind, newRelay, value)));
  });

  it("left a record of every component", () => {
    for (const { name } of components) assert(existsSync(`${system.auditDir}/${name}.jsonl`), name);
    assert(asked.get("supervisor")!.length > 50);
    assertStringIncludes(system.log.text(), "status: exiting");
  });
});
