/**
 * Mail that goes from qmail-remote to a server of another make, and from that to qmail-smtpd: over TLS 1.2 on both ways,
 * and over TLS 1.3.
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { makeCertificate } from "../lib/tls/openssl.ts";
import { eximNeed, startExim } from "../support/exim.ts";
import { readMail } from "../support/maildir.ts";
import { openSmtpdNeed, startOpenSmtpd } from "../support/opensmtpd.ts";
import { postfixNeed, startPostfixRelay } from "../support/postfix.ts";
import { type Need, needs, runProgram } from "../support/program.ts";
import type { RelayHost, RelayOptions, TlsVersion } from "../support/relay_host.ts";
import { SmtpClient } from "../support/smtp_client.ts";
import { type SmtpSink, startSmtpSink, type TakenMail } from "../support/smtp_sink.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

/** Some 300 KiB with octets over 127, and a dot at the begin of many a line. */
const body = Array.from({ length: 6000 }, (_, at) => `${".".repeat(at % 4)}${"\xe9".repeat(at % 97)} ${at}\n`).join("");

type Make = readonly [make: string, need: Need, start: (options: RelayOptions) => Promise<RelayHost>];
const openssl = needs(["openssl"]);
const both = (need: Need): Need => need.ignore ? need : openssl;
const makes: readonly Make[] = [
  ["Postfix", both(postfixNeed), startPostfixRelay],
  ["Exim", both(eximNeed), startExim],
  ["OpenSMTPD", both(openSmtpdNeed), startOpenSmtpd],
];
const versions: readonly TlsVersion[] = ["TLSv1.2", "TLSv1.3"];

/** Whether OpenSSL's client gets through TLS with it. */
async function offersTls({ port }: RelayHost): Promise<boolean> {
  const args = ["s_client", "-connect", `127.0.0.1:${port}`, "-starttls", "smtp", "-ign_eof"];
  return (await runProgram("openssl", args, { input: "QUIT\r\n" })).stdout.includes("\n221 ");
}

/** The domain whose mail goes by way of that host. */
function domainOf(make: string, version: TlsVersion): string {
  return `${make}-${version}.example`.toLowerCase();
}

describe("mail by way of", () => {
  let [near, far, reports]: [System, System, SmtpSink] = [] as never;
  const hosts = new Map<string, RelayHost>();

  beforeAll(async () => {
    if (makes.every(([, need]) => need.ignore)) return;
    const certificate = makeCertificate({ name: "mx.example", newKey: ["rsa:2048"] });
    reports = await startSmtpSink();
    const smtproutes = `:127.0.0.1:${reports.port}\n`;
    far = await startSystem({ tls: true, controls: { me: "two.example\n", rcpthosts: "two.example\n", smtproutes } });
    for (const [make, need, start] of makes) {
      if (need.ignore) continue;
      for (const version of versions) {
        const options = { version, certificate, relayPort: far.ports["smtp"]! };
        hosts.set(domainOf(make, version), await start(options));
      }
    }
    const routes = Array.from(hosts, ([domain, { port }]) => `@${domain}:127.0.0.1:${port}\n`);
    near = await startSystem({ controls: { smtproutes, authsenders: routes.join("") } });
  });
  afterAll(async () => {
    for (const host of hosts.values()) await host[Symbol.asyncDispose]();
    for (const system of [near, far]) await system?.stop();
    await reports?.[Symbol.asyncDispose]();
  });

  for (const [make, need] of makes) {
    for (const version of versions) {
      // Debian 12's OpenSMTPD 6 fails in each handshake as a server, for its OpenSSL is 3.
      const inAsWell = make === "OpenSMTPD" ? "in where it can" : "in";
      const claim = `${make} goes over ${version}, ${inAsWell} and out, 8-bit, to whom it takes, and is reported`;
      it(`${claim}${need.note}`, { ignore: need.ignore }, async () => {
        const domain = domainOf(make, version);
        const host = hosts.get(domain)!;
        const isSecure = await offersTls(host);
        const from = `amy@${domain}`;
        const since = near.log.length;
        using client = await SmtpClient.connect(near.ports["smtp"]!);
        const said = [
          `MAIL FROM:<${from}> BODY=8BITMIME RET=HDRS ENVID=id-${domain}`,
          "RCPT TO:<demo@two.example> NOTIFY=SUCCESS,FAILURE",
          "RCPT TO:<nosuch@two.example> NOTIFY=FAILURE",
          "RCPT TO:<demo-other@two.example> NOTIFY=FAILURE",
        ];
        for (const line of said) assertEquals((await client.command(line)).code, 250);
        assertEquals((await client.command("DATA")).code, 354);
        const content = `From: ${from}\nSubject: by ${domain}\nMIME-Version: 1.0\n` +
          `Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\n${body}`;
        client.write(content.replace(/^\./gm, "..").replaceAll("\n", "\r\n") + ".\r\n");
        assertEquals((await client.reply()).code, 250);

        // To the other server.
        const refused = await near.waitForLog((line) => line.includes(": failure: "), 20_000, since);
        assertMatch(refused, /127\.0\.0\.1_does_not_like_recipient\.\/Remote_host_said:_5[0-9][0-9]_/);
        await near.waitForLog((line) => line.includes("end msg "), 20_000, since);
        const log = near.log.lines(since);
        assertEquals(log.filter((line) => line.includes(": failure: ")), [refused]);
        const tls = log.find((line) => line.includes(" tls delivery "));
        if (isSecure) assertMatch(tls!, new RegExp(`: ${version} [A-Z0-9_-]+, `));
        // What fails in its handshake gets its mail without.
        else {
          assertEquals(make, "OpenSMTPD");
          assertMatch(tls!, /: tls delivery [0-9]+: none, default, validation-failure$/);
        }

        // From there.
        const mailOf = () => readMail(far.home, "demo@two.example").filter((mail) => mail.includes(`: by ${domain}\n`));
        await waitFor(() => mailOf().length === 2, `both copies; the host said:\n${host.log.text()}`);
        for (const arrived of mailOf()) {
          assert(arrived.endsWith(`\n\n${body}`), "the same octets");
          const received = new RegExp(`\nReceived: from [^\n]+\n {2}by two\\.example with ESMTPS \\(${version} `);
          assertMatch(arrived, received);
        }
        const isReport = ({ content }: TakenMail) =>
          content.includes(`\nOriginal-Envelope-Id: id-${domain}\r\n`) && content.includes("\nAction: delivered\r\n");
        const report = await waitFor(
          () => reports.taken.find(isReport),
          `the report; the host said:\n${host.log.text()}`,
        );
        assertEquals(report.recipients, [from]);
      });
    }
  }
});
