import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { fromFileUrl } from "@std/path";
import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { manifest } from "../../components/dmarcrpt/permissions.ts";
import { run } from "../../components/dmarcrpt/run.ts";
import type { Observation } from "../../components/lib/dmarc/observation.ts";
import { type Config, flagsOf, rightsOf } from "../../components/lib/permissions/grant.ts";
import { breaches } from "../../components/lib/permissions/rule.ts";
import { parseRoute } from "../../components/lib/filters/route.ts";
import { DmarcrptClient } from "../../components/lib/wire/dmarcrpt_client.ts";
import { NoteClient } from "../../components/lib/wire/note_client.ts";
import { serveUnix } from "../../components/lib/wire/server.ts";
import { eachLine } from "../../components/supervisor/lines.ts";
import { outside, readAudit, unused } from "../support/audit.ts";
import type { Zone } from "../support/dns_server.ts";
import { LogLines } from "../support/log_lines.ts";
import { parseWithPython, pythonIsInstalled } from "../support/python_email.ts";
import { type Queued, ReportWorld } from "../support/report_world.ts";
import { waitFor } from "../support/wait.ts";

const zone: Zone = {
  "_dmarc.b.example TXT": [
    "v=DMARC1; p=reject; rua=mailto:dmarc@b.example,mailto:all@reports.example,mailto:victim@c.example,mailto:small@b.example!10",
  ],
  "b.example._report._dmarc.reports.example TXT": ["v=DMARC1"],
  "_dmarc.quiet.example TXT": ["v=DMARC1; p=none"],
};
const good: Observation = {
  sourceIp: "192.0.2.1",
  policy: { domain: "b.example", p: "reject", discovery: "psl" },
  disposition: "none",
  dkimAligned: true,
  spfAligned: true,
  headerFrom: "b.example",
  envelopeFrom: "b.example",
  dkim: [{ domain: "b.example", selector: "s1", result: "pass" }],
  spf: { domain: "b.example", result: "pass" },
};
const bad: Observation = {
  ...good,
  sourceIp: "198.51.100.9",
  disposition: "reject",
  dkimAligned: false,
  spfAligned: false,
  dkim: [],
  spf: { domain: "evil.example", result: "none" },
  envelopeFrom: "evil.example",
};
const noon = Date.parse("2026-11-22T12:00:00Z") / 1000;

/** The XML of a report's mail, by a parser of this test's own. */
function xmlOf({ content }: Queued): string {
  const boundary = /boundary="([^"]+)"/.exec(content)![1]!;
  const part = content.split(`--${boundary}`)[2]!;
  return gunzipSync(Buffer.from(part.slice(part.indexOf("\n\n")), "base64")).toString();
}

function texts(xml: string, element: string): readonly string[] {
  return Array.from(xml.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, "g")), ([, text]) => text!);
}

describe("dmarcrpt", () => {
  it("sends at the day's end the report of what it was told, to those who ask for one and agree", async () => {
    await using world = await ReportWorld.start("dmarcrpt", zone);
    const clock = { seconds: noon };
    const options = { nowSeconds: () => clock.seconds, spreadSeconds: 600, tickMs: 10 };
    const running = run({ home: world.home, portOffset: 0, requestStop: () => {} }, options);
    const client = new DmarcrptClient(world.home);
    try {
      for (let n = 0; n < 5; n++) client.note(good);
      client.note(bad);
      for (const domain of ["quiet.example", "none.example"]) client.note({ ...good, policy: { domain, p: "none" } });
      await waitFor(() => world.file("2026-11-22").includes("none.example"), "the counts to be written");
      clock.seconds = Date.parse("2026-11-23T00:10:00Z") / 1000;
      await waitFor(() => world.queued.length > 0 && world.file("2026-11-22") === "", "the report");
    } finally {
      client.close();
      await running.stop();
    }
    assertEquals(world.queued.length, 1);
    const [mail] = world.queued;
    assertEquals([mail!.sender, mail!.recipients], ["", ["dmarc@b.example", "all@reports.example"]]);
    assert(mail!.content.split("\n").every((line) => line.length <= 998));
    const xml = xmlOf(mail!);
    assertEquals(texts(xml, "report_id"), ["1795305600.b.example@mail.a.example"]);
    assertEquals(texts(xml, "source_ip"), ["192.0.2.1", "198.51.100.9"]);
    assertEquals(texts(xml, "count"), ["5", "1"]);
    assertEquals(texts(xml, "disposition"), ["pass", "reject"]);
    assertEquals(texts(xml, "selector"), ["s1"]);
    if (!pythonIsInstalled) return;
    const parsed = await parseWithPython(Uint8Array.from(mail!.content, (octet) => octet.charCodeAt(0)));
    const field = (name: string) => parsed.fields.find(([key]) => key === name)?.[1].replace(/\n\s/g, " ");
    assertEquals([parsed.type, parsed.defects], ["multipart/mixed", []]);
    assertEquals(parsed.parts.map(({ type }) => type), ["text/plain", "application/gzip"]);
    assertEquals(
      field("Subject"),
      "Report Domain: b.example Submitter: mail.a.example Report-ID: <1795305600.b.example@mail.a.example>",
    );
    assertEquals([field("TLS-Required"), field("From")], [undefined, "<postmaster@mail.a.example>"]);
    const [, disposition] = parsed.parts[1]!.fields.find(([key]) => key === "Content-Disposition")!;
    assertMatch(disposition, /filename="mail\.a\.example!b\.example!1795305600!1795391999\.xml\.gz"/);
  });

  it("ends a connection that says something else, and counts on", async () => {
    await using world = await ReportWorld.start("dmarcrpt", zone);
    const running = run({ home: world.home, portOffset: 0, requestStop: () => {} }, {
      nowSeconds: () => noon,
      tickMs: 10,
    });
    const client = new DmarcrptClient(world.home);
    try {
      const stranger = new NoteClient(world.home, "dmarcrpt", (note: object) => ({ op: "note", ...note }));
      stranger.note({ ...good, sourceIp: "none of them" });
      // These the client does not pass on: a sender can bring them about.
      client.note({ ...good, sourceIp: "unknown" });
      client.note({ ...good, policy: { domain: "a b.example", p: "none" } });
      await waitFor(
        () => {
          client.note(good);
          return world.file("2026-11-22").includes("b.example");
        },
        "the counts to be written",
      );
      stranger.close();
      assert(!/none of them|unknown|a b/.test(world.file("2026-11-22")));
    } finally {
      client.close();
      await running.stop();
    }
  });

  it("sends reports the way of mail that is written here", async () => {
    await using world = await ReportWorld.start("dmarcrpt", zone);
    Deno.writeTextFileSync(world.home.control("filters"), "local: sign\n");
    Deno.writeTextFileSync(world.home.dmarcrpt("2026-11-22"), `${JSON.stringify([good, 7])}\n`);
    Deno.mkdirSync(world.home.run("sign"));
    const seen: unknown[] = [];
    const sign = serveUnix(world.home.socket("sign"), {
      onFrame: (frame, pipe) => {
        const { client, chain } = parseRoute(frame.head);
        seen.push([client?.entrance, chain]);
        pipe.send({ id: frame.head["id"], code: 0, qp: 1 });
      },
      onError: () => {},
    });
    const running = run({ home: world.home, portOffset: 0, requestStop: () => {} }, {
      nowSeconds: () => noon + 86_400,
      spreadSeconds: 0,
      tickMs: 10,
    });
    try {
      await waitFor(() => world.file("2026-11-22") === "", "the report");
    } finally {
      await running.stop();
      sign.stop();
      sign.closeAll();
    }
    assertEquals([seen, world.queued], [[["local", []]], []]);
    const config = {
      home: world.home,
      controls: { filters: new Map([["local", [{ name: "sign", onTrouble: "451" }]]]) },
    };
    assertEquals(manifest.permissions(config as unknown as Config).calls, ["sign", "resolver"]);
  });

  it("waits for the DNS, and gives up at noon of the next day", async () => {
    await using world = await ReportWorld.start("dmarcrpt", { "_dmarc.b.example TXT": { rcode: 2 } });
    Deno.writeTextFileSync(world.home.dmarcrpt("2026-11-22"), `${JSON.stringify([good, 7])}\n`);
    const clock = { seconds: noon + 12 * 3600 };
    const running = run({ home: world.home, portOffset: 0, requestStop: () => {} }, {
      nowSeconds: () => clock.seconds,
      spreadSeconds: 0,
      tickMs: 10,
    });
    try {
      await waitFor(() => world.file("2026-11-22") !== "" && world.asked.length > 0, "the first question");
      assertEquals(world.queued, []);
      clock.seconds += 37 * 3600;
      await waitFor(() => world.file("2026-11-22") === "", "the end of the day's file");
    } finally {
      await running.stop();
    }
    assertEquals(world.queued, []);
  });

  it("uses its grant to the last entry, and loses to a SIGKILL only what it had not written", async () => {
    await using world = await ReportWorld.start("dmarcrpt", zone);
    const yesterday = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10);
    Deno.writeTextFileSync(world.home.dmarcrpt(yesterday), `${JSON.stringify([good, 7])}\n`);
    const config = { home: world.home, controls: { filters: new Map() } } as unknown as Config;
    const grant = manifest.permissions(config);
    const main = fromFileUrl(new URL("../../components/dmarcrpt/main.ts", import.meta.url));
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--cached-only", ...flagsOf(grant, world.home), main, "--home", world.home.dir],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { DENO_AUDIT_PERMISSIONS: `${world.home.dir}/dmarcrpt.jsonl` },
    }).spawn();
    const client = new DmarcrptClient(world.home);
    const today = new Date().toISOString().slice(0, 10);
    const [out, log] = [new LogLines(), new LogLines()];
    const reading = Promise.all([
      eachLine(child.stdout, (line) => out.add(line)),
      eachLine(child.stderr, (line) => log.add(line)),
    ]);
    try {
      await out.waitFor((line) => line.includes(`"ready"`), 20_000);
      client.note(bad);
      await waitFor(() => world.file(today).includes("b.example"), "the counts to be written", 15_000);
      await waitFor(() => world.queued.length > 0 && world.file(yesterday) === "", "the report", 15_000);
    } finally {
      client.close();
      child.kill("SIGKILL");
      await child.status;
      await reading;
    }
    assertEquals(log.lines().filter((line) => !line.startsWith("dmarcrpt_sent")), []);
    assert(world.file(today).includes("evil.example"));
    const asked = readAudit(world.home.dir, "dmarcrpt");
    const rights = rightsOf(grant, world.home);
    assertEquals([unused(asked, rights), outside(asked, rights)], [[], []]);
    assertEquals(breaches([manifest], config), []);
    assertEquals([grant.connect, grant.listen, grant.run], [undefined, undefined, undefined]);
  });
});
