/**
 * Clients by their address, as real programs meet it: control/tcp.smtp's rules, programs asked about recipients, DNS lists,
 * greylisting; and `deno task explain` says the same.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import type { Explanation } from "../../scripts/explain/explain.ts";
import { note as hooksNote } from "../hooks/world.ts";
import { type DnsServer, startDnsServer } from "../support/dns_server.ts";
import { waitForMailWith } from "../support/maildir.ts";
import { Postfix, postfixNeed } from "../support/postfix.ts";
import { type Run, runProgram, swaksNeed } from "../support/program.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp_sink.ts";
import { startSystem, type System } from "../support/system.ts";
import { runTask } from "../support/task.ts";
import { waitFor } from "../support/wait.ts";

const demo = "demo@localhost";
const reason = swaksNeed.note === "" ? hooksNote : swaksNeed.note;

/** Swaks's exit codes. */
const codes = { rcptRefused: 24, messageRefused: 26 } as const;

async function explain(system: System, ip: string, to: string, from = "amy@a.example"): Promise<Explanation> {
  const question = ["--from", from, "--to", to, "--ip", ip, "--home", system.home.dir];
  return JSON.parse((await runTask("explain", [...question, "--json"])).stdout);
}

describe(`a client of 127.0.0.0/8${reason}`, { ignore: reason !== "" }, () => {
  let [system, sink, dns]: [System, SmtpSink, DnsServer] = [] as never;

  const swaks = (ip: string, subject: string, to: string, more: readonly string[] = []): Promise<Run> =>
    runProgram("swaks", [
      ...["--server", "127.0.0.1", "--port", `${system.ports["smtp"]}`, "--local-interface", ip, "--timeout", "30"],
      ...["--helo", "swaks.example", "--from", "amy@a.example", "--to", to, "--header", `Subject: ${subject}`, ...more],
    ]);

  beforeAll(async () => {
    sink = await startSmtpSink();
    dns = await startDnsServer({ "6.0.0.127.bl.example A": ["127.0.0.2"] });
    system = await startSystem({
      controls: {
        relayclients: undefined,
        smtproutes: `r.example:127.0.0.1:${sink.port}\n`,
        virtualdomains: "fixup:demo-fixup\n",
        nameservers: `127.0.0.1:${dns.port}\n`,
        dnsbllist: "-bl.example|listed: %IP%\n",
        "tcp.smtp": [
          '127.0.0.2:allow,RELAYCLIENT=""',
          "127.0.0.3:deny",
          '127.0.0.4:allow,DATABYTES="1000"',
          '127.0.0.5:allow,RCPTCHECK="hooks/check"',
          '127.0.0.7:allow,RELAYCLIENT="@fixup"',
          ":allow",
          "",
        ].join("\n"),
      },
      prepare: ({ dir }) => {
        Deno.mkdirSync(`${dir}/hooks`, { recursive: true });
        Deno.writeTextFileSync(`${dir}/hooks/check`, '#!/bin/sh\n[ "$RECIPIENT" != demo-no@localhost ] || exit 100\n');
        Deno.chmodSync(`${dir}/hooks/check`, 0o755);
      },
    });
  });
  afterAll(async () => {
    await system?.stop();
    await sink?.[Symbol.asyncDispose]();
    await dns?.stop();
  });

  it("relays with RELAYCLIENT, and without does not", async () => {
    const { client, answer } = await explain(system, "127.0.0.2", "bob@r.example");
    assertEquals([client.relaying, answer.kind, answer.reply], [true, "accept", "250 2.1.5 ok"]);
    assertEquals((await swaks("127.0.0.2", "relayed", "bob@r.example")).code, 0);
    await waitFor(() => sink.taken.some(({ content }) => content.includes("Subject: relayed")), "the relayed message");

    const refused = await explain(system, "127.0.0.8", "bob@r.example");
    const { code, stdout } = await swaks("127.0.0.8", "refused", "bob@r.example");
    assertEquals([code, refused.answer.rule], [codes.rcptRefused, "relay"]);
    assertStringIncludes(stdout, `<** ${refused.answer.reply}\n`);
  });

  it("has what RELAYCLIENT holds put behind its recipients", async () => {
    assertEquals((await swaks("127.0.0.7", "appended", "bob@elsewhere.example")).code, 0);
    const message = await waitForMailWith(system.home, "\nSubject: appended\n");
    assertStringIncludes(message, "\nDelivered-To: demo-fixup-bob@elsewhere.example@fixup\n");
  });

  it("gets no greeting where it is denied", async () => {
    const { answer } = await explain(system, "127.0.0.3", demo);
    assertEquals([answer.stage, answer.rule, answer.reply, answer.drops], ["connect", "tcp.smtp", "", true]);
    const { code, stdout } = await swaks("127.0.0.3", "denied", demo);
    assert(code !== 0 && !stdout.includes("220"), stdout);
    await system.waitForLog((line) => line === "qmail-smtpd: closed ip=127.0.0.3 reason=denied");
  });

  it("sends as much as its DATABYTES, and others what they like", async () => {
    const body = ["--body", "x".repeat(2000)];
    const { code, stdout } = await swaks("127.0.0.4", "too-large", demo, body);
    assertEquals(code, codes.messageRefused, stdout);
    assertStringIncludes(stdout, "\n<-  250-SIZE 1000\n");
    assertMatch(stdout, /\n<\*\* 552 5\.3\.4 /);
    assertEquals((await swaks("127.0.0.4", "small", demo)).code, 0);
    assertEquals((await swaks("127.0.0.8", "large", demo, body)).code, 0);
    await waitForMailWith(system.home, "\nSubject: small\n");
    await waitForMailWith(system.home, "\nSubject: large\n");
  });

  it("has a program say no to a recipient", async () => {
    const { code, stdout } = await swaks("127.0.0.5", "no", "demo-no@localhost");
    assertEquals(code, codes.rcptRefused);
    assertStringIncludes(stdout, "\n<** 553 5.1.1 sorry, no mailbox here by that name\n");
    await system.waitForLog((line) => line.endsWith(" to=<demo-no@localhost> reason=rcptcheck"));
    assertEquals((await swaks("127.0.0.5", "yes", "demo-yes@localhost")).code, 0);
    assertEquals((await swaks("127.0.0.8", "unasked", "demo-no@localhost")).code, 0);
    const { unasked } = await explain(system, "127.0.0.5", "demo-no@localhost");
    assertEquals(unasked.map((line) => line.replace(/ .*/, "")), ["RCPTCHECK"]);
  });

  it("on a DNS list is told of it", async () => {
    const { answer } = await explain(system, "127.0.0.6", demo);
    assertEquals([answer.kind, answer.rule], ["refuse", "dnsbl"]);
    const { code, stdout } = await swaks("127.0.0.6", "listed", demo);
    assertEquals(code, codes.rcptRefused, stdout);
    assertStringIncludes(stdout, `<** ${answer.reply}\n`);
    assertStringIncludes(answer.reply, "listed: 127.0.0.6");
  });
});

describe(`greylisting${postfixNeed.note}`, { ignore: postfixNeed.ignore }, () => {
  it("has Postfix come again, and takes what it brings then", async () => {
    await using system = await startSystem({ controls: { relayclients: undefined, greylist: "1\n" } });
    await using postfix = await Postfix.start({
      relayhost: `[127.0.0.1]:${system.ports["smtp"]}`,
      queue_run_delay: "1s",
      minimal_backoff_time: "1s",
      maximal_backoff_time: "1s",
    });
    await postfix.send({ from: "amy@a.example", to: [demo], content: "Subject: grey\n\n.x\n" });
    const first = await postfix.waitForStatus(demo);
    assertMatch(first, /dsn=4\.7\.1, status=deferred \(host 127\.0\.0\.1\[127\.0\.0\.1\] said: 45[01] 4\.7\.1 /);
    const sent = () => postfix.log.waitFor((line) => line.includes("status=sent (250 2.0.0 ok "), 5000);
    // Its queue manager may leave out a message that comes due while its deferral is being written down.
    await waitFor(() => sent().catch(() => postfix.flush()), "Postfix to come again", 30_000);
    assert((await waitForMailWith(system.home, "\nSubject: grey\n")).endsWith("\n\n.x\n"));
    const since = postfix.log.length;
    await postfix.send({ from: "amy@a.example", to: [demo], content: "Subject: known\n\n.x\n" });
    assertStringIncludes(await postfix.waitForStatus(demo, since), "status=sent");
  });
});
