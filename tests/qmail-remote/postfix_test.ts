import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "@std/path";
import { makeCertificate, opensslIsInstalled } from "../lib/tls/openssl.ts";
import { freePort } from "../support/free_port.ts";
import { Postfix, postfixNeed } from "../support/postfix.ts";
import { makeBaseDir } from "../support/system.ts";
import { mayTls, mustTls, noTls, reportsOf } from "./support/conversation.ts";
import { converse } from "./support/conversation.ts";
import { acceptEverything, ScriptedServer, type Taken } from "./support/scripted_server.ts";

const ignore = postfixNeed.ignore || !opensslIsInstalled;
const note = postfixNeed.ignore ? postfixNeed.note : opensslIsInstalled ? "" : " (skipped: openssl is not installed)";
const accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 2.0.0 Ok: queued as ";

describe(`delivery to Postfix${note}`, { ignore }, () => {
  let dir: string;
  let postfix: Postfix;
  let beyond: ScriptedServer;
  const taken: Taken[] = [];
  /** One that has all that Postfix has, one that demands TLS 1.2, and one with less: each on a port of its own. */
  const ports = { all: 0, tls12: 0, plain: 0 };

  beforeAll(async () => {
    dir = makeBaseDir();
    const made = makeCertificate({ name: "mx.example" });
    Deno.writeTextFileSync(join(dir, "cert.pem"), made.cert);
    Deno.writeTextFileSync(join(dir, "key.pem"), made.key);
    beyond = new ScriptedServer();
    beyond.script = acceptEverything(taken, ["PIPELINING", "8BITMIME", "SMTPUTF8", "DSN"]);
    for (const name of ["all", "tls12", "plain"] as const) ports[name] = freePort();
    const service = (port: number, ...options: readonly string[]) =>
      `127.0.0.1:${port} inet n - n - - smtpd${options.map((option) => ` -o ${option}`).join("")}`;
    postfix = await Postfix.start({
      relayhost: `[127.0.0.1]:${beyond.port}`,
      smtpd_tls_cert_file: join(dir, "cert.pem"),
      smtpd_tls_key_file: join(dir, "key.pem"),
      smtpd_tls_security_level: "may",
      smtpd_tls_loglevel: "1",
      smtpd_recipient_limit: "5",
    }, [
      service(ports.all),
      service(ports.tls12, "smtpd_tls_security_level=encrypt", "smtpd_tls_mandatory_protocols=TLSv1.2"),
      service(ports.plain, "smtpd_tls_security_level=none", "smtpd_discard_ehlo_keywords=8bitmime,pipelining,chunking"),
    ]);
  });

  afterAll(async () => {
    await postfix[Symbol.asyncDispose]();
    await beyond.stop();
    Deno.removeSync(dir, { recursive: true });
  });

  /** What came out on its other side. */
  async function arrival(recipient: string): Promise<Taken> {
    const status = await postfix.waitForStatus(recipient);
    assertStringIncludes(status, "status=sent");
    const mail = taken.find(({ recipients }) => recipients.some((one) => one.startsWith(`<${recipient}>`)));
    assert(mail !== undefined, recipient);
    return mail;
  }

  const eightBit = "Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\nGr\xc3\xbc\xc3\x9fe\n.\n";
  const rows = [
    { name: "plainly", policy: noTls, port: "all", tls: undefined, want: "Gr\xc3\xbc\xc3\x9fe\r\n..\r\n" },
    {
      name: "over TLS, as it offers it",
      policy: mayTls,
      port: "all",
      tls: "TLSv1.3",
      want: "Gr\xc3\xbc\xc3\x9fe\r\n..\r\n",
    },
    { name: "over TLS 1.2, as it demands it", policy: mustTls, port: "tls12", tls: "TLSv1.2", want: "Gr\xc3\xbc" },
    {
      name: "as quoted-printable, where it takes 7 bit",
      policy: mayTls,
      port: "plain",
      tls: undefined,
      want: "Gr=C3=BC=C3=9Fe",
    },
  ] as const;
  for (const [at, { name, policy, port, tls, want }] of rows.entries()) {
    it(`brings 8-bit text through ${name}`, async () => {
      const recipient = `r${at}@r.example`;
      const outcome = await converse(ports[port], { policy, recipients: [recipient], content: eightBit });
      assertEquals(reportsOf(outcome)[0]!.slice(0, accepted.length), accepted);
      assertEquals(outcome.seen.tls?.protocol, tls);
      const mail = await arrival(recipient);
      assertStringIncludes(mail.content, want);
      assertMatch(mail.sender, /^<s@s\.example>/);
    });
  }

  it("defers those recipients that are more than it takes at once", async () => {
    const recipients = Array.from({ length: 8 }, (_, at) => `many${at}@r.example`);
    const outcome = await converse(ports.all, { policy: mayTls, recipients });
    const reports = reportsOf(outcome);
    assertEquals(reports.map(([verdict]) => verdict).join(""), "KKKKKZZZ");
    assertMatch(reports[7]!, /^Z127\.0\.0\.1 does not like recipient\.\nRemote host said: 452 4\.5\.3 /);
    assertEquals((await arrival(recipients[4]!)).recipients.length, 5);
  });

  it("leaves it where it offers no TLS and that is demanded", async () => {
    const outcome = await converse(ports.plain, { policy: mustTls });
    assertEquals([outcome.kind, outcome.seen.flaw], ["next", "starttls-not-supported"]);
  });
});
