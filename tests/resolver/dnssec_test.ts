/**
 * The real process, a validating unbound, and nsd with signed zones: what is proven, what is not, and what is forged.
 * @module
 */
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import type { RecordType, ResolveReply } from "../../components/lib/wire/resolver_protocol.ts";
import { type ResolverProcess, startResolver } from "./resolver_process.ts";
import { waitFor } from "../support/wait.ts";
import { serveZones, type SignedZones, signedZonesNeed, type Zone } from "./signed_zones.ts";

const digest = "ab".repeat(32);
const mail = ["@ MX 10 mx", "mx A 192.0.2.1", "mx AAAA 2001:db8::1", `_25._tcp.mx TLSA 3 1 1 ${digest}`];
const zones: readonly Zone[] = [
  {
    name: "signed.example",
    records: [
      ...mail,
      "in CNAME mx",
      "out CNAME mx.unsigned.example.",
      "twice CNAME back.unsigned.example.",
      "_25._tcp.in CNAME _25._tcp.mx",
      `_25._tcp.many TLSA 3 0 2 ${"cd".repeat(64)}`,
      `_25._tcp.many TLSA 2 1 1 ${digest.toUpperCase()}`,
      "*.wild A 192.0.2.7",
      "null MX 0 .",
      `big TLSA 3 0 0 ${"ef".repeat(3000)}`,
    ],
    signatures: "valid",
  },
  {
    name: "unsigned.example",
    records: [...mail, "to CNAME mx.signed.example.", "back CNAME mx.signed.example."],
    signatures: "none",
  },
  { name: "expired.example", records: mail, signatures: "expired" },
  { name: "forged.example", records: mail, signatures: "valid", tamper: ["192.0.2.1", "192.0.2.66"] },
];

interface Row {
  readonly claim: string;
  readonly name: string;
  readonly type: RecordType;
  readonly want: ResolveReply;
}

const reply = (authenticated: boolean, values: readonly string[], canonical?: string): ResolveReply => ({
  status: "ok",
  authenticated,
  records: values.map((value) => ({ value })),
  ...(canonical === undefined ? {} : { canonical }),
});
const absent = (status: "nodata" | "nxdomain", authenticated: boolean): ResolveReply => {
  return { status, authenticated, records: [] };
};
const temporary: ResolveReply = { status: "temporary", authenticated: false, records: [] };

const rows: readonly Row[] = [
  {
    claim: "are proven in a signed zone",
    name: "mx.signed.example",
    type: "A",
    want: reply(true, ["192.0.2.1"]),
  },
  {
    claim: "are proven of IPv6 as well",
    name: "mx.signed.example",
    type: "AAAA",
    want: reply(true, ["2001:db8::1"]),
  },
  {
    claim: "are proven as exchangers",
    name: "signed.example",
    type: "MX",
    want: { status: "ok", authenticated: true, records: [{ value: "mx.signed.example", preference: 10 }] },
  },
  {
    claim: "are proven to accept no mail",
    name: "null.signed.example",
    type: "MX",
    want: { status: "ok", authenticated: true, records: [{ value: "", preference: 0 }] },
  },
  {
    claim: "are proven as TLSA, in lower case",
    name: "_25._tcp.mx.signed.example",
    type: "TLSA",
    want: reply(true, [`3 1 1 ${digest}`]),
  },
  {
    claim: "are proven as a whole certificate, over TCP",
    name: "big.signed.example",
    type: "TLSA",
    want: reply(true, [`3 0 0 ${"ef".repeat(3000)}`]),
  },
  {
    claim: "are proven behind an alias in the zone",
    name: "in.signed.example",
    type: "A",
    want: reply(true, ["192.0.2.1"], "mx.signed.example"),
  },
  {
    claim: "are proven as TLSA behind an alias",
    name: "_25._tcp.in.signed.example",
    type: "TLSA",
    want: reply(true, [`3 1 1 ${digest}`], "_25._tcp.mx.signed.example"),
  },
  {
    claim: "are proven out of a wildcard",
    name: "any.wild.signed.example",
    type: "A",
    want: reply(true, ["192.0.2.7"]),
  },
  {
    claim: "are unproven behind an alias to an unsigned zone",
    name: "out.signed.example",
    type: "A",
    want: reply(false, ["192.0.2.1"], "mx.unsigned.example"),
  },
  {
    claim: "are unproven behind an alias from an unsigned zone",
    name: "to.unsigned.example",
    type: "A",
    want: reply(false, ["192.0.2.1"], "mx.signed.example"),
  },
  {
    claim: "are unproven where an unsigned zone lies between two signed names",
    name: "twice.signed.example",
    type: "A",
    want: reply(false, ["192.0.2.1"], "mx.signed.example"),
  },
  {
    claim: "are proven to be an alias, whatever it leads to",
    name: "out.signed.example",
    type: "CNAME",
    want: reply(true, ["mx.unsigned.example"]),
  },
  {
    claim: "are proven to be no alias",
    name: "mx.signed.example",
    type: "CNAME",
    want: absent("nodata", true),
  },
  {
    claim: "are unproven in an unsigned zone",
    name: "mx.unsigned.example",
    type: "A",
    want: reply(false, ["192.0.2.1"]),
  },
  {
    claim: "are unproven as TLSA there",
    name: "_25._tcp.mx.unsigned.example",
    type: "TLSA",
    want: reply(false, [`3 1 1 ${digest}`]),
  },
  {
    claim: "are proven to be absent with a name",
    name: "nobody.signed.example",
    type: "A",
    want: absent("nxdomain", true),
  },
  {
    claim: "are proven to be absent with a name of TLSA",
    name: "_25._tcp.ns.signed.example",
    type: "TLSA",
    want: absent("nxdomain", true),
  },
  {
    claim: "are proven to be absent of a type",
    name: "mx.signed.example",
    type: "TXT",
    want: absent("nodata", true),
  },
  {
    claim: "are absent without proof in an unsigned zone",
    name: "nobody.unsigned.example",
    type: "A",
    want: absent("nxdomain", false),
  },
  { claim: "are temporary where they are forged", name: "mx.forged.example", type: "A", want: temporary },
  {
    claim: "are proven beside a forged one",
    name: "forged.example",
    type: "MX",
    want: { status: "ok", authenticated: true, records: [{ value: "mx.forged.example", preference: 10 }] },
  },
  { claim: "are temporary where the signatures have expired", name: "mx.expired.example", type: "A", want: temporary },
  { claim: "are temporary as expired exchangers", name: "expired.example", type: "MX", want: temporary },
  {
    claim: "are temporary as expired TLSA, which is not absence",
    name: "_25._tcp.mx.expired.example",
    type: "TLSA",
    want: temporary,
  },
  {
    claim: "are temporary as expired absence",
    name: "nobody.expired.example",
    type: "A",
    want: temporary,
  },
];

describe("the resolver, a validating unbound and nsd", () => {
  let servers: SignedZones;
  let resolver: ResolverProcess;

  beforeAll(async () => {
    if (signedZonesNeed.ignore) return;
    servers = await serveZones(zones);
    resolver = await startResolver(`${servers.server}\n`);
  });

  afterAll(async () => {
    await resolver?.stop();
    await servers?.[Symbol.asyncDispose]();
  });

  const { ignore, note } = signedZonesNeed;
  describe("agree that records", () => {
    for (const { claim, name, type, want } of rows) {
      it(`${claim}: ${name} ${type}${note}`, { ignore }, async () => {
        assertEquals(await resolver.client.resolve(name, type), want);
        assertEquals(await resolver.client.resolve(name, type), want, "from the cache");
      });
    }

    it(`are all there where there are several TLSA${note}`, { ignore }, async () => {
      const { authenticated, records } = await resolver.client.resolve("_25._tcp.many.signed.example", "TLSA");
      assertEquals(authenticated, true);
      assertEquals(records.map(({ value }) => value).sort(), [`2 1 1 ${digest}`, `3 0 2 ${"cd".repeat(64)}`]);
    });
  });

  it(`prove nothing where control/trustad is 0, and all again after the next reload${note}`, { ignore }, async () => {
    const { client } = resolver;
    const isProven = async () => (await client.resolve("mx.signed.example", "A")).authenticated;
    assertEquals(await isProven(), true);
    resolver.writeControl("trustad", "0\n");
    resolver.reload(`${servers.server}\n`);
    await waitFor(async () => !await isProven(), "what the reload makes of it");
    resolver.writeControl("trustad", "1\n");
    resolver.reload(`${servers.server}\n`);
    await waitFor(isProven, "what the next reload makes of it");
  });

  it(`prove nothing where a server that does not validate is asked${note}`, { ignore }, async () => {
    const careless = await startResolver(`${servers.authority}\n`);
    try {
      assertEquals(await careless.client.resolve("mx.signed.example", "A"), reply(false, ["192.0.2.1"]));
      assertEquals(await careless.client.resolve("mx.forged.example", "A"), reply(false, ["192.0.2.66"]));
    } finally {
      await careless.stop();
    }
  });
});
