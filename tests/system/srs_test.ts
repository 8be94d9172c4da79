/**
 * A whole mail server that sends on what a stranger wrote, and takes the bounce of it back to him; and one user's mail,
 * signed on its way out.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { toOctets } from "../../components/lib/octets.ts";
import { generateKeyPairSync } from "node:crypto";
import { keyRecord, parsePrivateKey } from "../../components/lib/dkim/keys.ts";
import { checkSignatures } from "../../components/lib/mailauth/dkim.ts";
import { Lookups } from "../../components/lib/mailauth/lookups.ts";
import { sendMail, SmtpClient } from "../support/smtp_client.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp_sink.ts";
import { startSystem, type System } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }) as string;
const content = "From: amy@mx.example.org\nSubject: a\nDate: today\nMessage-ID: <1@a>\n\nhello\n";

describe("mail that is sent on, and mail that is signed", () => {
  let system: System;
  let sink: SmtpSink;
  const last = () => sink.taken.at(-1)!;
  const taken = (count: number) => waitFor(() => sink.taken.length === count, `${count} messages at the other host`);

  beforeAll(async () => {
    sink = await startSmtpSink();
    system = await startSystem({
      controls: {
        me: "mx.example.org\n",
        rcpthosts: "mx.example.org\n",
        relayclients: "127.0.0.1\n",
        // From 127.0.0.3 comes a stranger.
        listeners: "smtp 127.0.0.1:0\nadmin 127.0.0.1:0\n",
        smtproutes: `:127.0.0.1:${sink.port}\n`,
        srsdomain: "srs.example.org\n",
        filters: "smtp: sign\n",
        dkim: "mx.example.org: e1\n",
      },
      prepare: (home) => {
        Deno.mkdirSync(home.dkim("mx.example.org"), { recursive: true });
        Deno.writeTextFileSync(home.dkim("mx.example.org", "e1.pem"), pem);
      },
    });
    const mailbox = system.home.mail("mx.example.org", "demo");
    Deno.writeTextFileSync(`${mailbox}/.qmail`, "&joe@b.example\n");
    if (Deno.uid() === 0) {
      const { uid, gid } = Deno.statSync(mailbox);
      Deno.chownSync(`${mailbox}/.qmail`, uid!, gid!);
    }
  });
  afterAll(async () => {
    await system?.stop();
    await sink?.[Symbol.asyncDispose]();
  });

  it("goes on under an address of ours, whose bounce is its sender's", async () => {
    await sendMail(system.ports["smtp"]!, { from: "eve@e.example", to: ["demo@mx.example.org"], content });
    await taken(1);
    const { sender, recipients } = last();
    assertEquals(recipients, ["joe@b.example"]);
    assertMatch(sender, /^SRS0=.{6}=..=e\.example=eve@srs\.example\.org$/);
    await sendMail(system.ports["smtp"]!, { from: "", to: [sender], content: "Subject: bounce\n\nno\n" });
    await taken(2);
    assertEquals([last().sender, ...last().recipients], ["", "eve@e.example"]);
  });

  it("keeps a sender of our own", async () => {
    await sendMail(system.ports["smtp"]!, { from: "amy@mx.example.org", to: ["demo@mx.example.org"], content });
    await taken(3);
    assertEquals(last().sender, "amy@mx.example.org");
  });

  it("refuses mail to an address that was forged, from whoever it comes", async () => {
    using client = await SmtpClient.connect(system.ports["smtp"]!);
    const to = ["SRS0=aaaaaa=AA=e.example=eve@srs.example.org"];
    const { recipients } = await client.send({ from: "", to, content });
    assertEquals(recipients.map(({ code }) => code), [550]);
  });

  it("has a secret that was made at the start, and that not everybody may read", () => {
    const path = system.home.control("srssecret");
    assertMatch(Deno.readTextFileSync(path), /^[A-Za-z0-9_-]{32}\n$/);
    assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o640);
  });

  it("is signed with the domain's key", async () => {
    await sendMail(system.ports["smtp"]!, { from: "amy@mx.example.org", to: ["joe@b.example"], content });
    await taken(4);
    const key = parsePrivateKey(pem);
    assert(key.ok);
    const lookups = new Lookups({
      resolve: () =>
        Promise.resolve({ status: "ok", authenticated: false, records: [{ value: keyRecord(key.value) }] }),
      most: 10,
      signal: new AbortController().signal,
    });
    const text = last().content.replaceAll("\r\n", "\n");
    assertStringIncludes(text, "DKIM-Signature: v=1; a=ed25519-sha256;");
    const { signatures } = await checkSignatures(toOctets(text), lookups, Date.now());
    assertEquals(signatures.map(({ result, domain, selector }) => `${result} ${domain} ${selector}`), [
      "pass mx.example.org e1",
    ]);
  });
});
