import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { fromFileUrl } from "@std/path";
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { flagsOf, rightsOf } from "../../components/lib/permissions/grant.ts";
import { breaches } from "../../components/lib/permissions/rule.ts";
import { TlsrptClient } from "../../components/lib/wire/tlsrpt_client.ts";
import type { TlsrptNote } from "../../components/lib/wire/tlsrpt_protocol.ts";
import { eachLine } from "../../components/supervisor/lines.ts";
import { readConfig } from "../../components/supervisor/config.ts";
import { manifest } from "../../components/tlsrpt/permissions.ts";
import { run } from "../../components/tlsrpt/run.ts";
import { outside, readAudit, unused } from "../support/audit.ts";
import type { Zone } from "../support/dns_server.ts";
import { LogLines } from "../support/log_lines.ts";
import { parseWithPython, pythonIsInstalled } from "../support/python_email.ts";
import { type Queued, ReportWorld } from "../support/report_world.ts";
import { waitFor } from "../support/wait.ts";

const zone: Zone = {
  "_smtp._tls.b.example TXT": ["v=TLSRPTv1; rua=mailto:tls@b.example,https://b.example/,mailto:two@c.example"],
  "_smtp._tls.web.example TXT": ["v=TLSRPTv1; rua=https://web.example/"],
};
const good: TlsrptNote = {
  domain: "b.example",
  policyType: "sts",
  policyStrings: ["version: STSv1", "mode: enforce", "mx: mx.b.example", "max_age: 86400"],
  mxHost: "mx.b.example",
  ip: "192.0.2.1",
};
const bad: TlsrptNote = { ...good, sendingIp: "198.51.100.1", flaw: "certificate-expired" };
const noon = Date.parse("2026-11-22T12:00:00Z") / 1000;

/** Everything below the first level of a tlsrpt mail, by a parser of this test's own. */
function jsonOf({ content }: Queued): Record<string, unknown> {
  const boundary = /boundary="([^"]+)"/.exec(content)![1]!;
  const part = content.split(`--${boundary}`)[2]!;
  return JSON.parse(gunzipSync(Buffer.from(part.slice(part.indexOf("\n\n")), "base64")).toString());
}

describe("tlsrpt", () => {
  it("sends at the day's end the report of what it was told, to those who ask for one", async () => {
    await using world = await ReportWorld.start("tlsrpt", zone);
    const clock = { seconds: noon };
    const options = { nowSeconds: () => clock.seconds, spreadSeconds: 600, tickMs: 10 };
    const running = run({ home: world.home, portOffset: 0, requestStop: () => {} }, options);
    const client = new TlsrptClient(world.home);
    try {
      for (let n = 0; n < 5; n++) client.note(good);
      client.note(bad);
      for (const domain of ["silent.example", "web.example", "../up", "[192.0.2.1]"]) client.note({ ...good, domain });
      await waitFor(() => world.file("2026-11-22").includes("web.example"), "the counts to be written");
      clock.seconds = Date.parse("2026-11-23T00:09:59Z") / 1000;
      client.note(good);
      await waitFor(() => world.file("2026-11-23") !== "", "the next day's counts");
      assertEquals(world.queued, []);
      clock.seconds += 1;
      await waitFor(() => world.queued.length > 0 && world.file("2026-11-22") === "", "the report");
    } finally {
      client.close();
      await running.stop();
    }
    assertEquals(world.queued.length, 1);
    const [mail] = world.queued;
    assertEquals([mail!.sender, mail!.recipients], ["", ["tls@b.example", "two@c.example"]]);
    assert(mail!.content.split("\n").every((line) => line.length <= 998));
    assertEquals(jsonOf(mail!), {
      "organization-name": "mail.a.example",
      "date-range": { "start-datetime": "2026-11-22T00:00:00Z", "end-datetime": "2026-11-22T23:59:59Z" },
      "contact-info": "postmaster@mail.a.example",
      "report-id": "1795305600.b.example@mail.a.example",
      "policies": [{
        "policy": {
          "policy-type": "sts",
          "policy-string": good.policyStrings,
          "policy-domain": "b.example",
          "mx-host": ["mx.b.example"],
        },
        "summary": { "total-successful-session-count": 5, "total-failure-session-count": 1 },
        "failure-details": [{
          "result-type": "certificate-expired",
          "sending-mta-ip": "198.51.100.1",
          "receiving-mx-hostname": "mx.b.example",
          "receiving-ip": "192.0.2.1",
          "failed-session-count": 1,
        }],
      }],
    });
    assertEquals([...Deno.readDirSync(world.home.tlsrpt())].map(({ name }) => name), ["2026-11-23"]);
    if (!pythonIsInstalled) return;
    const parsed = await parseWithPython(Uint8Array.from(mail!.content, (octet) => octet.charCodeAt(0)));
    const field = (name: string) => parsed.fields.find(([key]) => key === name)?.[1].replace(/\n\s/g, " ");
    assertEquals(parsed.type, "multipart/report");
    assertEquals(parsed.parts.map(({ type }) => type), ["text/plain", "application/tlsrpt+gzip"]);
    assertEquals(parsed.defects, []);
    assertEquals(
      field("Subject"),
      "Report Domain: b.example Submitter: mail.a.example Report-ID: <1795305600.b.example@mail.a.example>",
    );
    assertEquals([field("TLS-Report-Domain"), field("TLS-Report-Submitter")], ["b.example", "mail.a.example"]);
    assertEquals([field("TLS-Required"), field("From")], ["No", "<postmaster@mail.a.example>"]);
    assertMatch(field("Content-Type")!, /report-type="tlsrpt"/);
    const [, disposition] = parsed.parts[1]!.fields.find(([key]) => key === "Content-Disposition")!;
    assertMatch(disposition, /filename="mail\.a\.example!b\.example!1795305600!1795391999\.json\.gz"/);
  });

  it("tries again while the queue takes nothing, and sends what an earlier process counted", async () => {
    await using world = await ReportWorld.start("tlsrpt", zone);
    const line = JSON.stringify([good, 7]);
    Deno.writeTextFileSync(world.home.tlsrpt("2026-11-22"), `${line}\n${line.slice(0, 20)}`);
    world.code = 71;
    const clock = { seconds: noon + 86_400 };
    const options = { nowSeconds: () => clock.seconds, spreadSeconds: 0, tickMs: 10 };
    const running = run({ home: world.home, portOffset: 0, requestStop: () => {} }, options);
    try {
      // Each round is a quarter of an hour after the last.
      for (let round = 1; round <= 3; round++) {
        await waitFor(() => world.attempts === round, "the next attempt");
        clock.seconds += 900;
      }
      assertEquals(world.queued, []);
      await waitFor(() => world.attempts === 4, "the fourth attempt");
      world.code = 0;
      clock.seconds += 900;
      await waitFor(() => world.queued.length > 0, "the report");
    } finally {
      await running.stop();
    }
    const [policy] = jsonOf(world.queued[0]!)["policies"] as { summary: Record<string, number> }[];
    assertEquals(policy!.summary["total-successful-session-count"], 7);
  });

  it("uses its grant to the last entry, and loses to a SIGKILL only what it had not written", async () => {
    await using world = await ReportWorld.start("tlsrpt", {
      "_smtp._tls.b.example TXT": zone["_smtp._tls.b.example TXT"]!,
    });
    const yesterday = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10);
    Deno.writeTextFileSync(world.home.tlsrpt(yesterday), `${JSON.stringify([good, 7])}\n`);
    const config = readConfig(world.home, 0);
    assert("controls" in config);
    const grant = manifest.permissions(config);
    const main = fromFileUrl(new URL("../../components/tlsrpt/main.ts", import.meta.url));
    const start = () =>
      new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--cached-only", ...flagsOf(grant, world.home), main, "--home", world.home.dir],
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
        env: { DENO_AUDIT_PERMISSIONS: `${world.home.dir}/tlsrpt.jsonl` },
      }).spawn();
    const client = new TlsrptClient(world.home);
    const today = new Date().toISOString().slice(0, 10);
    const written = () => world.file(today).split("\n").filter((line) => line.includes("b.example")).length;
    try {
      for (const signal of ["SIGKILL", "SIGTERM"] as const) {
        const child = start();
        const [out, log] = [new LogLines(), new LogLines()];
        const reading = Promise.all([
          eachLine(child.stdout, (line) => out.add(line)),
          eachLine(child.stderr, (line) => log.add(line)),
        ]);
        await out.waitFor((line) => line.includes(`"ready"`), 20_000);
        const before = written();
        client.note(bad);
        if (signal === "SIGKILL") {
          await waitFor(() => written() > before, "the counts to be written", 15_000);
          await waitFor(() => world.queued.length > 0 && world.file(yesterday) === "", "the report", 15_000);
        } else {
          // The client finds out that the other process is gone when it first writes: that note may be lost.
          await waitFor(
            () => {
              client.note(bad);
              return written() > before;
            },
            "the counts to be written",
            15_000,
          );
        }
        child.kill(signal);
        await child.status;
        await reading;
        assertEquals(log.lines().filter((line) => !line.startsWith("tlsrpt_sent")), []);
        if (signal === "SIGKILL") {
          const asked = readAudit(world.home.dir, "tlsrpt");
          const rights = rightsOf(grant, world.home);
          assertEquals([unused(asked, rights), outside(asked, rights)], [[], []]);
        }
      }
    } finally {
      client.close();
    }
    assertEquals(world.queued.length, 1);
    assertEquals(breaches([manifest], config), []);
    assertEquals([grant.connect, grant.listen, grant.run], [undefined, undefined, undefined]);
  });
});
