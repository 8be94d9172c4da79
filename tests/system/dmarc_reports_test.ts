/** From a message that verify has judged to a report, signed, in the mailbox of who asked for it. */
import { Buffer } from "node:buffer";
import { generateKeyPairSync } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { describe, it } from "@std/testing/bdd";
import { assertMatch, assertStringIncludes } from "@std/assert";
import type { Observation } from "../../components/lib/dmarc/observation.ts";
import { dayOf } from "../../components/lib/reports/days.ts";
import { startDnsServer } from "../support/dns_server.ts";
import { waitForMailWith } from "../support/maildir.ts";
import { sendMail } from "../support/smtp_client.ts";
import { startSystem } from "../support/system.ts";
import { waitFor } from "../support/wait.ts";

const early: Observation = {
  sourceIp: "192.0.2.1",
  policy: { domain: "b.example", p: "reject", discovery: "psl" },
  disposition: "none",
  dkimAligned: false,
  spfAligned: true,
  headerFrom: "b.example",
  dkim: [],
};

describe("DMARC reports", () => {
  it("are made of what verify finds, and leave signed", async () => {
    const dns = await startDnsServer({
      "b.example TXT": ["v=spf1 -all"],
      "_dmarc.b.example TXT": ["v=DMARC1; p=reject; rua=mailto:demo@localhost"],
      "b.example._report._dmarc.localhost TXT": ["v=DMARC1"],
    });
    const before = dayOf(Date.now() / 1000 - 2 * 86_400);
    try {
      await using system = await startSystem({
        controls: {
          nameservers: `127.0.0.1:${dns.port}\n`,
          filters: "smtp: verify\nlocal: sign\n",
          dmarc: "tag\n",
          dmarcrpt: "1\n",
          dkim: "localhost: s1\n",
          relayclients: undefined,
        },
        prepare: (home) => {
          Deno.mkdirSync(home.dmarcrpt());
          Deno.writeTextFileSync(home.dmarcrpt(before), `${JSON.stringify([early, 7])}\n`);
          Deno.mkdirSync(home.dkim("localhost"), { recursive: true });
          const { privateKey } = generateKeyPairSync("ed25519");
          const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
          Deno.writeTextFileSync(home.dkim("localhost", "s1.pem"), pem);
        },
      });
      await sendMail(system.ports["smtp"]!, {
        from: "amy@b.example",
        to: ["demo@localhost"],
        content: "From: amy@b.example\n\nnot from there\n",
      });
      const today = () => {
        try {
          return Deno.readTextFileSync(system.home.dmarcrpt(dayOf(Date.now() / 1000)));
        } catch {
          return "";
        }
      };
      await waitFor(() => today().includes("b.example"), "verify's observation to be written", 20_000);
      assertStringIncludes(today(), '"spf":{"domain":"b.example","result":"fail"}');
      const report = await waitForMailWith(system.home, "Report Domain: b.example");
      assertMatch(report, /^DKIM-Signature: .*?d=localhost/ms);
      const boundary = /boundary="([^"]+)"/.exec(report)![1]!;
      const part = report.split(`--${boundary}`)[2]!;
      const xml = gunzipSync(Buffer.from(part.slice(part.indexOf("\n\n")), "base64")).toString();
      assertStringIncludes(xml, "<source_ip>192.0.2.1</source_ip>\n      <count>7</count>");
    } finally {
      await dns.stop();
    }
  });
});
