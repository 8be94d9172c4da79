/** The doctor's look at our own certificate, and at the TLSA records about it. */
import { createHash, X509Certificate } from "node:crypto";
import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { err, ok } from "../../../components/lib/result.ts";
import { examineTls } from "../../../components/lib/doctor/tls.ts";
import { makeCertificate, opensslIsInstalled, opensslNote } from "../tls/openssl.ts";
import { asking, type FakeZone, site } from "./zone.ts";

describe(`examineTls()${opensslNote}`, { ignore: !opensslIsInstalled }, () => {
  const host = "mail.a.example";
  const name = `_25._tcp.${host}`;
  const dayMs = 86_400_000;
  const make = (days: number, dns = host) =>
    new X509Certificate(makeCertificate({ name: dns, days, extensions: [`subjectAltName=DNS:${dns}`] }).cert);
  const digest = (leaf: X509Certificate) =>
    createHash("sha256").update(leaf.publicKey.export({ type: "spki", format: "der" })).digest("hex");
  async function examined(
    leaf: X509Certificate,
    { zone = {}, signed = true, nowMs = Date.now() }: { zone?: FakeZone; signed?: boolean; nowMs?: number } = {},
  ) {
    const exchanger = { host, addresses: ["192.0.2.1"], isOurs: true, authenticated: signed };
    const found = await examineTls({ ...site, certificates: ok([leaf]) }, [exchanger], asking(zone, { signed }), nowMs);
    return { states: found.map(({ topic, state }) => `${topic} ${state}`), last: found.at(-1)! };
  }

  it("is content with one that is valid, for the MX, and vouched for", async () => {
    const leaf = make(90);
    const zone: FakeZone = { [`${name} TLSA`]: [`3 1 1 ${digest(leaf)}`] };
    assertEquals((await examined(leaf, { zone })).states, ["certificate good", "certificate good", "TLSA good"]);
  });

  it("proposes a record that vouches for it, where the zone is signed", async () => {
    const leaf = make(90);
    const { states, last } = await examined(leaf);
    assertEquals(states.at(-1), "TLSA note");
    assertEquals(last.paste, [`${name}. IN TLSA 3 1 1 ${digest(leaf)}`]);
    const zone: FakeZone = { [`${name} TLSA`]: [last.paste![0]!.split(" IN TLSA ")[1]!] };
    assertEquals((await examined(leaf, { zone })).states.at(-1), "TLSA good");
  });

  it("proposes none where nobody vouches for the zone", async () => {
    const { last } = await examined(make(90), { signed: false });
    assertEquals([last.state, last.paste], ["note", undefined]);
  });

  it("finds records about another key, and such as mean nothing", async () => {
    const [leaf, other] = [make(90), make(90)];
    for (const text of [`3 1 1 ${digest(other)}`, `1 1 1 ${digest(leaf)}`]) {
      const { states, last } = await examined(leaf, { zone: { [`${name} TLSA`]: [text] } });
      assertEquals(states.at(-1), "TLSA wrong", text);
      assertStringIncludes(last.paste![0]!, digest(leaf));
    }
    assertEquals((await examined(leaf, { zone: { [`${name} TLSA`]: "silent" } })).states.at(-1), "TLSA unsure");
  });

  it("finds one that is over, nearly over, or for another host", async () => {
    const leaf = make(30);
    const first = async (days: number) => (await examined(leaf, { nowMs: Date.now() + days * dayMs })).states[0];
    assertEquals([await first(0), await first(20), await first(31), await first(-2)], [
      "certificate good",
      "certificate wrong",
      "certificate wrong",
      "certificate wrong",
    ]);
    assertEquals((await examined(make(90, "b.example"))).states.slice(0, 2), ["certificate good", "certificate wrong"]);
  });

  it("misses one, and says where it cannot be read", async () => {
    const state = async (certificates: typeof site.certificates) =>
      (await examineTls({ ...site, certificates }, [], asking({}), 0)).map(({ state }) => state);
    assertEquals([await state(ok(undefined)), await state(err("permission denied"))], [["missing"], ["unsure"]]);
  });
});
