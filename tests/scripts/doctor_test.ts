/** `deno task doctor`, beside a DNS server of the test's own. */
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { generateKeyPairSync } from "node:crypto";
import { homeAt } from "../../config/home.ts";
import type { Finding } from "../../components/lib/doctor/finding.ts";
import { type DnsServer, type RecordData, startDnsServer, type Zone } from "../support/dns_server.ts";
import { makeCertificate, opensslIsInstalled, opensslNote } from "../lib/tls/openssl.ts";
import { makeBaseDir } from "../support/system.ts";
import { runTask } from "../support/task.ts";

const zone: Zone = {
  "a.example MX": [{ preference: 10, exchange: "mail.a.example" }],
  "mail.a.example A": ["192.0.2.1"],
  "1.2.0.192.in-addr.arpa PTR": ["mail.a.example"],
};

/** The texts of a line like `a.example. IN TXT "one" "two"`, in the zone's form. */
function entryOf(line: string): readonly [string, readonly RecordData[]] | undefined {
  const [, name, texts] = /^(\S+)\. IN TXT (".*")$/.exec(line) ?? [];
  if (name === undefined) return undefined;
  return [`${name} TXT`, [Array.from(texts!.matchAll(/"([^"]*)"/g), ([, text]) => text!)]];
}

describe("deno task doctor", () => {
  let base: string;
  let dns: DnsServer | undefined;
  const home = () => homeAt(`${base}/h`);
  const control = (file: string, text: string) => Deno.writeTextFileSync(home().control(file), text);

  beforeEach(() => {
    base = makeBaseDir();
    Deno.mkdirSync(home().control(""), { recursive: true });
    control("me", "mail.a.example\n");
    control("rcpthosts", "a.example\n");
    control("locals", "a.example\n");
    control("outgoingip", "192.0.2.1\n");
  });
  afterEach(async () => {
    await dns?.stop();
    dns = undefined;
    Deno.removeSync(base, { recursive: true });
  });

  /** Asks about a domain where the DNS is this. */
  async function ask(records: Zone, ...args: readonly string[]) {
    await dns?.stop();
    dns = await startDnsServer(records);
    control("nameservers", `127.0.0.1:${dns.port}\n`);
    return await runTask("doctor", ["--home", home().dir, "--no-fetch", ...args]);
  }

  async function found(records: Zone): Promise<{ readonly code: number; readonly findings: readonly Finding[] }> {
    const { code, stdout } = await ask(records, "--json", "a.example");
    return { code, findings: JSON.parse(stdout).findings };
  }

  function makeKey(): void {
    control("dkim", "a.example: s1 s2\n");
    Deno.mkdirSync(home().dkim("a.example"), { recursive: true });
    const [rsa, ed] = [generateKeyPairSync("rsa", { modulusLength: 2048 }), generateKeyPairSync("ed25519")];
    for (const [name, { privateKey }] of [["s1", rsa], ["s2", ed]] as const) {
      Deno.writeTextFileSync(
        home().dkim("a.example", `${name}.pem`),
        privateKey.export({ type: "pkcs8", format: "pem" }) as string,
      );
    }
  }

  it(
    `prints records that make it end with 0 once they are published${opensslNote}`,
    { ignore: !opensslIsInstalled },
    async () => {
      makeKey();
      const made = makeCertificate({
        name: "mail.a.example",
        days: 90,
        extensions: ["subjectAltName=DNS:mail.a.example"],
      });
      control("servercert.pem", made.cert + made.key);
      const before = await ask(zone, "a.example");
      assertEquals(before.code, 1);
      for (const topic of ["SPF", "DKIM", "DMARC", "MTA-STS", "TLS-RPT"]) {
        assertMatch(before.stdout, new RegExp(`^missing +${topic} `, "m"));
      }
      for (const topic of ["MX", "address", "PTR", "certificate"]) {
        assertMatch(before.stdout, new RegExp(`^good +${topic} `, "m"));
      }
      const published = before.stdout.split("\n").flatMap((line) => {
        const entry = entryOf(line);
        return entry === undefined ? [] : [entry];
      });
      assertEquals(published.length, 6, before.stdout);
      const after = await ask({ ...zone, ...Object.fromEntries(published) }, "a.example");
      assertEquals([after.code, /^(missing|wrong|unsure) /m.test(after.stdout)], [0, false], after.stdout);
    },
  );

  it("ends with 111 where no name server answers, and with 1 where something is to be done all the same", async () => {
    const silent = { rcode: 2 };
    const names = ["a.example MX", "a.example TXT", "_dmarc.a.example TXT", "_mta-sts.a.example TXT"];
    const more = ["_smtp._tls.a.example TXT", "s1._domainkey.a.example TXT", "s2._domainkey.a.example TXT"];
    const rest = { "1.2.0.192.in-addr.arpa PTR": silent, "mail.a.example A": silent, "mail.a.example AAAA": silent };
    const records: Zone = Object.fromEntries([...names, ...more].map((name) => [name, silent]));
    const bare = await found({ ...records, ...rest });
    assertEquals(bare.code, 1);
    const todo = bare.findings.filter(({ state }) => state === "missing" || state === "wrong").map(({ topic }) =>
      topic
    );
    assertEquals(todo, ["DKIM", "certificate"]);
    if (!opensslIsInstalled) return;
    makeKey();
    const made = makeCertificate({
      name: "mail.a.example",
      days: 90,
      extensions: ["subjectAltName=DNS:mail.a.example"],
    });
    control("servercert.pem", made.cert + made.key);
    const { code, findings } = await found({ ...records, ...rest });
    assertEquals([code, findings.filter(({ state }) => state === "missing" || state === "wrong")], [111, []]);
    assert(findings.filter(({ state }) => state === "unsure").length >= 8);
  });

  it("looks for the key of the domain above, where that signs", async () => {
    makeKey();
    const { stdout } = await ask(zone, "news.a.example");
    assertMatch(stdout, /^missing +DKIM +s1\._domainkey\.a\.example /m);
  });

  it("shows nothing of the DNS to a terminal but printable ASCII", async () => {
    const { stdout } = await ask({ ...zone, "_dmarc.a.example TXT": ["v=DMARC1; p=\x1b[31m\xe9"] }, "a.example");
    assertStringIncludes(stdout, "p=?[31m?");
  });

  it("ends with 111 over a control file, and with 100 over its arguments", async () => {
    for (
      const args of [[], ["a.example", "b.example"], ["bad domain"], ["a.example", "--ip", "x"], ["--jsn", "a.example"]]
    ) {
      assertEquals((await ask(zone, ...args)).code, 100, args.join(" "));
    }
    control("outgoingip", "nonsense\n");
    const { code, stderr } = await ask(zone, "a.example");
    assertEquals(code, 111);
    assertStringIncludes(stderr, 'Cannot read control file "outgoingip"');
  });
});
