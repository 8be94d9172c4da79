/** Mail from strangers to a whole system that verifies it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ed25519Key, rsaKey, sign } from "../lib/mailauth/signer.ts";
import { startDnsServer } from "../support/dns_server.ts";
import { waitForMailWith } from "../support/maildir.ts";
import { SmtpClient } from "../support/smtp_client.ts";
import { startSystem, type System } from "../support/system.ts";

const [rsa, ed25519] = [rsaKey(), ed25519Key()];

function mailFrom(address: string, subject: string): string {
  return `From: ${address}\nTo: demo@localhost\nSubject: ${subject}\nDate: Mon, 23 Nov 2026 03:00:00 +0000\n\nHello\n`;
}

async function send(system: System, from: string, content: string) {
  using client = await SmtpClient.connect(system.ports["smtp"]!);
  return (await client.send({ from, to: ["demo@localhost"], content })).end;
}

describe("a system that verifies", () => {
  it("delivers what is genuine with what was found, and refuses what its From's domain disowns", async () => {
    const dns = await startDnsServer({
      "a.example TXT": ["v=spf1 ip4:127.0.0.0/8 -all"],
      "s._domainkey.a.example TXT": [[rsa.record.slice(0, 200), rsa.record.slice(200)]],
      "e._domainkey.a.example TXT": [ed25519.record],
      "_dmarc.a.example TXT": ["v=DMARC1; p=reject"],
      "bank.example TXT": ["v=spf1 -all"],
      "_dmarc.bank.example TXT": ["v=DMARC1; p=reject"],
    });
    try {
      await using system = await startSystem({
        controls: {
          relayclients: undefined,
          nameservers: `127.0.0.1:${dns.port}\n`,
          filters: "smtp: verify\n",
          dmarc: "smtp: enforce\n",
        },
      });
      const forged = "Authentication-Results: localhost; dmarc=pass header.from=bank.example\n";
      const once = sign(mailFrom("amy@a.example", "genuine"), rsa, { domain: "a.example" });
      const twice = sign(once, ed25519, { domain: "a.example", selector: "e" });
      assertEquals((await send(system, "amy@a.example", forged + twice))?.code, 250);
      const mail = await waitForMailWith(system.home, "Subject: genuine");
      assertEquals(mail.match(/^Authentication-Results:/gm)?.length, 1);
      assertMatch(mail, /^Authentication-Results: localhost;\n\tspf=pass smtp\.mailfrom=a\.example;\n/m);
      assertMatch(mail, /\tdkim=pass header\.d=a\.example header\.s=e header\.a=ed25519-sha256\s/);
      assertMatch(mail, /\tdkim=pass header\.d=a\.example header\.s=s header\.a=rsa-sha256\s/);
      assertMatch(mail, /\tdmarc=pass \(p=reject\) header\.from=a\.example\n/);

      const refused = await send(system, "amy@a.example", mailFrom("ceo@bank.example", "forged"));
      assertEquals(refused?.code, 554);
      const event = await system.waitForLog((line) => line.includes("verified ") && line.includes("bank.example"));
      assertMatch(
        event,
        /spf=pass:a\.example .*dmarc=fail:bank\.example policy=reject verdict=refuse lookups=\d+ ms=\d+/,
      );
      assert(!system.log.lines().some((line) => line.includes("surprise")));
    } finally {
      await dns.stop();
    }
  });
});
