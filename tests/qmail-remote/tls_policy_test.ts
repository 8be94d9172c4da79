import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { TlsPolicy } from "../../components/lib/tls/client_policy.ts";
import type { ResolveReply } from "../../components/lib/wire/resolver_protocol.ts";
import { type Case, decide } from "./support/tls_policies.ts";

const data = "ab".repeat(32);
const record = { usage: 3, selector: 1, matching: 1, data };
const signed = { authenticated: true };
const [tlsaAsked, stsAsked] = ["_25._tcp.mx.example.test TLSA", "sts example.test"];

function tlsa(status: ResolveReply["status"], ...values: readonly string[]): ResolveReply {
  return { status, authenticated: status !== "temporary", records: values.map((value) => ({ value })) };
}

const good = tlsa("ok", `3 1 1 ${data}`);
const enforce = { kind: "policy", mode: "enforce", mx: ["mx.example.test"] } as const;
const testing = { kind: "policy", mode: "testing", mx: ["mx.example.test"] } as const;

const may: TlsPolicy = {
  tls: "may",
  implicit: false,
  proof: undefined,
  enforced: true,
  source: "default",
  requireTls: false,
};
const must: TlsPolicy = { ...may, tls: "must" };
const dane: TlsPolicy = {
  ...must,
  proof: { kind: "dane", records: [record], names: ["mx.example.test", "example.test"] },
  source: "dane",
  servername: "mx.example.test",
};
const byAuthority = { kind: "authority", names: ["mx.example.test"] } as const;
const sts: TlsPolicy = { ...must, proof: byAuthority, source: "sts" };
const needsTls = "D Message requires TLS to the next host, which I cannot give it. (#5.7.30)";
const needsProof = "D Message requires TLS that is proved, and nothing vouches for the name mx.example.test. (#5.7.30)";
const bogus = "Z Sorry, I couldn't find out whether mx.example.test has TLSA records. (#4.7.5)";
const noRecords =
  "Z Sorry, mx.example.test has no TLSA records of use, and I may not send mail there without. (#4.7.5)";

interface Row extends Case {
  readonly name: string;
  readonly asked: readonly string[];
  readonly want: TlsPolicy | string;
}

const table: readonly Row[] = [
  {
    name: "asks MTA-STS alone about a domain that is not signed, and takes TLS where it is offered",
    asked: [stsAsked],
    want: may,
  },
  {
    name: "asks for TLSA records of a signed exchanger, then MTA-STS",
    exchanger: signed,
    asked: [tlsaAsked, stsAsked],
    want: may,
  },
  {
    name: "takes DANE, and then asks no MTA-STS",
    exchanger: signed,
    tlsa: good,
    sts: enforce,
    asked: [tlsaAsked],
    want: dane,
  },
  {
    name: "does not let MTA-STS override DANE that cannot be asked (RFC 8461 §2)",
    exchanger: signed,
    tlsa: tlsa("temporary"),
    sts: enforce,
    asked: [tlsaAsked],
    want: bogus,
  },
  {
    name: "demands TLS of whoever answers where TLSA records are of no use",
    exchanger: signed,
    tlsa: tlsa("ok", `1 0 1 ${data}`),
    asked: [tlsaAsked],
    want: { ...must, source: "dane", flaw: "tlsa-invalid" },
  },
  {
    name: "asks nothing about a literal",
    domain: "[192.0.2.1]",
    exchanger: { host: "192.0.2.1" },
    asked: [],
    want: may,
  },
  {
    name: "asks nothing about a relay that is not signed",
    relayHost: "relay.test",
    exchanger: { host: "relay.test" },
    asked: [],
    want: may,
  },
  {
    name: "asks for a relay's TLSA records, and no MTA-STS",
    relayHost: "mx.example.test",
    exchanger: signed,
    tlsa: good,
    asked: [tlsaAsked],
    want: { ...dane, proof: { kind: "dane", records: [record], names: ["mx.example.test"] } },
  },
  { name: "asks no MTA-STS where mail does not go by SMTP", protocol: "qmtp", asked: [], want: may },

  {
    name: "none: asks nothing",
    wish: { level: "none" },
    exchanger: signed,
    tlsa: good,
    asked: [],
    want: { ...may, tls: "none", source: "tlsdestinations" },
  },
  {
    name: "may: leaves DANE in force",
    wish: { level: "may" },
    exchanger: signed,
    tlsa: good,
    asked: [tlsaAsked],
    want: dane,
  },
  {
    name: "encrypt: demands TLS",
    wish: { level: "encrypt" },
    asked: [stsAsked],
    want: { ...must, source: "tlsdestinations" },
  },
  { name: "encrypt: leaves MTA-STS in force", wish: { level: "encrypt" }, sts: enforce, asked: [stsAsked], want: sts },
  {
    name: "encrypt: stays where MTA-STS only tests",
    wish: { level: "encrypt" },
    sts: testing,
    asked: [stsAsked],
    want: { ...sts, enforced: false },
  },
  {
    name: "verify: by an authority, for the exchanger's name",
    wish: { level: "verify" },
    exchanger: signed,
    tlsa: good,
    asked: [],
    want: { ...must, proof: byAuthority, source: "tlsdestinations" },
  },
  {
    name: "verify: for other names",
    wish: { level: "verify", names: ["*.mail.test"] },
    asked: [],
    want: { ...must, proof: { kind: "authority", names: ["*.mail.test"] }, source: "tlsdestinations" },
  },
  {
    name: "verify: by authorities of the operator's",
    wish: { level: "verify", authorities: ["PEM"] },
    asked: [],
    want: { ...must, proof: { ...byAuthority, authorities: ["PEM"] }, source: "tlsdestinations" },
  },
  {
    name: "verify: by a fingerprint",
    wish: { level: "verify", fingerprints: [data] },
    asked: [],
    want: { ...must, proof: { kind: "fingerprint", fingerprints: [data] }, source: "tlsdestinations" },
  },
  {
    name: "verify: by the fingerprint of an authority",
    wish: { level: "verify", anchors: [data] },
    asked: [],
    want: {
      ...must,
      proof: { kind: "dane", records: [{ usage: 2, selector: 0, matching: 1, data }], names: ["mx.example.test"] },
      source: "tlsdestinations",
    },
  },
  {
    name: "verify: is a route's where there is one",
    wish: { level: "verify" },
    relayHost: "mx.example.test",
    asked: [],
    want: { ...must, proof: byAuthority, source: "route" },
  },
  { name: "dane: takes DANE", wish: { level: "dane" }, exchanger: signed, tlsa: good, asked: [tlsaAsked], want: dane },
  {
    name: "dane: refuses an exchanger without records",
    wish: { level: "dane" },
    exchanger: signed,
    sts: enforce,
    asked: [tlsaAsked],
    want: noRecords,
  },
  {
    name: "dane: refuses an exchanger whose records are of no use",
    wish: { level: "dane" },
    exchanger: signed,
    tlsa: tlsa("ok", `0 0 1 ${data}`),
    asked: [tlsaAsked],
    want: noRecords,
  },
  {
    name: "dane: refuses an exchanger that is not signed",
    wish: { level: "dane" },
    tlsa: good,
    asked: [],
    want: noRecords,
  },
  {
    name: "implicit: demands TLS",
    wish: { level: "may", implicit: true },
    asked: [stsAsked],
    want: { ...must, implicit: true, source: "tlsdestinations" },
  },

  {
    name: "REQUIRETLS: takes DANE (RFC 8689 §4.2.1)",
    requireTls: true,
    exchanger: signed,
    tlsa: good,
    asked: [tlsaAsked],
    want: { ...dane, requireTls: true },
  },
  {
    name: "REQUIRETLS: takes MTA-STS",
    requireTls: true,
    sts: enforce,
    asked: [stsAsked],
    want: { ...sts, requireTls: true },
  },
  {
    name: "REQUIRETLS: takes MTA-STS that only tests, and enforces it",
    requireTls: true,
    sts: testing,
    asked: [stsAsked],
    want: { ...sts, source: "requiretls", requireTls: true },
  },
  {
    name: "REQUIRETLS: asks for an authority where a signed answer names the exchanger",
    requireTls: true,
    exchanger: signed,
    asked: [tlsaAsked, stsAsked],
    want: { ...must, proof: byAuthority, source: "requiretls", requireTls: true },
  },
  {
    name: "REQUIRETLS: asks for an authority where TLSA records are of no use",
    requireTls: true,
    exchanger: signed,
    tlsa: tlsa("ok", `0 0 1 ${data}`),
    asked: [tlsaAsked],
    want: { ...must, proof: byAuthority, source: "requiretls", requireTls: true, flaw: "tlsa-invalid" },
  },
  {
    name: "REQUIRETLS: asks for an authority where the operator names the relay",
    requireTls: true,
    relayHost: "mx.example.test",
    asked: [],
    want: { ...must, proof: byAuthority, source: "requiretls", requireTls: true },
  },
  {
    name: "REQUIRETLS: asks for an authority where a signed answer names the exchanger, whatever its addresses are",
    requireTls: true,
    exchanger: { authenticated: false, nameAuthenticated: true },
    asked: [stsAsked],
    want: { ...must, proof: byAuthority, source: "requiretls", requireTls: true },
  },
  {
    name: "REQUIRETLS: refuses an exchanger that nobody vouches for",
    requireTls: true,
    asked: [stsAsked],
    want: needsProof,
  },
  {
    name: "REQUIRETLS: refuses an exchanger that a policy in its testing mode does not list",
    requireTls: true,
    sts: { ...testing, mx: ["other.test"] },
    asked: [stsAsked],
    want: needsProof,
  },
  {
    name: "REQUIRETLS: refuses an exchanger where TLS is switched off",
    requireTls: true,
    wish: { level: "none" },
    asked: [],
    want: needsTls,
  },
  {
    name: "REQUIRETLS: takes a proof of the operator's",
    requireTls: true,
    wish: { level: "verify", fingerprints: [data] },
    asked: [],
    want: {
      ...must,
      proof: { kind: "fingerprint", fingerprints: [data] },
      source: "tlsdestinations",
      requireTls: true,
    },
  },
  {
    name: "REQUIRETLS: does not take the name of an unsigned answer for a proof",
    requireTls: true,
    wish: { level: "verify" },
    asked: [],
    want: needsProof,
  },
  {
    name: "REQUIRETLS: takes names of the operator's",
    requireTls: true,
    wish: { level: "verify", names: ["mx.test"] },
    asked: [],
    want: { ...must, proof: { kind: "authority", names: ["mx.test"] }, source: "tlsdestinations", requireTls: true },
  },
];

describe("policyFor()", () => {
  for (const { name, want, asked, ...given } of table) {
    it(name, async () => {
      const came = await decide(given);
      assertEquals({ to: came.to, asked: came.asked }, { to: want, asked });
    });
  }

  it("asks the server for the name at the end of its aliases, where the records are", async () => {
    const exchanger = { ...signed, canonical: "real.test" };
    const { to, asked } = await decide({ exchanger, tlsa: good });
    assertEquals(asked, ["_25._tcp.real.test TLSA"]);
    assertEquals(to, {
      ...dane,
      servername: "real.test",
      proof: { kind: "dane", records: [record], names: ["real.test", "mx.example.test", "example.test"] },
    });
  });
});
