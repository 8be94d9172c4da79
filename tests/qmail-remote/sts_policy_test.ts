/**
 * MTA-STS by tables: a policy, an exchanger and the certificates it shows, and what that comes to (RFC 8461 §4, §5); the
 * certificates in handshakes with OpenSSL servers.
 */
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { secure } from "../../components/lib/tls/client_handshake.ts";
import type { TlsFlaw, TlsPolicy } from "../../components/lib/tls/client_policy.ts";
import { connected, issue, OpensslServer } from "../lib/tls/issued.ts";
import { type Made, opensslIsInstalled, opensslNote } from "../lib/tls/openssl.ts";
import { decide } from "./support/tls_policies.ts";

type Mode = "enforce" | "testing";

interface Listing {
  readonly name: string;
  readonly mx: readonly string[];
  readonly host: string;
  readonly listed: boolean;
}

const listings: readonly Listing[] = [
  { name: "the exchanger's name", mx: ["mx.example.test"], host: "mx.example.test", listed: true },
  { name: "one of several", mx: ["a.example.test", "mx.example.test"], host: "mx.example.test", listed: true },
  { name: "another case", mx: ["mx.example.test"], host: "MX.Example.Test", listed: true },
  { name: "a pattern", mx: ["*.example.test"], host: "mx.example.test", listed: true },
  { name: "a pattern for one label only", mx: ["*.example.test"], host: "a.mx.example.test", listed: false },
  { name: "a pattern is not for the domain itself", mx: ["*.example.test"], host: "example.test", listed: false },
  { name: "a star is no part of a label", mx: ["m*.example.test"], host: "mx.example.test", listed: false },
  { name: "a star is no second label", mx: ["mx.*.test"], host: "mx.example.test", listed: false },
  { name: "a name that ends alike", mx: ["mx.example.test"], host: "evilmx.example.test", listed: false },
  { name: "a name that goes on", mx: ["mx.example.test"], host: "mx.example.test.evil.test", listed: false },
  { name: "another name", mx: ["mx.example.test"], host: "mx.evil.test", listed: false },
];

async function policyOf(mode: Mode, mx: readonly string[], host: string): Promise<TlsPolicy | string> {
  return (await decide({ exchanger: { host }, sts: { kind: "policy", mode, mx } })).to;
}

describe("an MTA-STS policy's list", () => {
  for (const { name, mx, host, listed } of listings) {
    it(`${listed ? "fits" : "does not fit"}: ${name}`, async () => {
      const policy = await policyOf("enforce", mx, host);
      assertEquals(
        policy,
        listed
          ? {
            tls: "must",
            implicit: false,
            proof: { kind: "authority", names: [host] },
            enforced: true,
            source: "sts",
            requireTls: false,
          }
          : `Z Sorry, ${host} is no mail exchanger that the MTA-STS policy of example.test lists. (#4.7.5)`,
      );
    });
  }

  it("in testing mode keeps no mail back, and has what does not fit counted", async () => {
    const proof = { kind: "authority", names: ["mx.evil.test"] } as const;
    const want: TlsPolicy = { tls: "may", implicit: false, proof, enforced: false, source: "sts", requireTls: false };
    assertEquals(await policyOf("testing", ["mx.evil.test"], "mx.evil.test"), want);
    assertEquals(await policyOf("testing", ["mx.example.test"], "mx.evil.test"), {
      ...want,
      flaw: "validation-failure",
    });
  });

  it("asks with A-labels, and nothing about a domain that is no name", async () => {
    const asked = async (domain: string) => (await decide({ domain })).asked;
    assertEquals(await asked("xn--bcher-kva.test"), ["sts xn--bcher-kva.test"]);
    // The octets of "bücher.test".
    assertEquals(await asked("b\xc3\xbccher.test"), ["sts xn--bcher-kva.test"]);
    assertEquals(await asked("no name.test"), []);
    assertEquals(await asked("[192.0.2.1]"), []);
  });

  it("that cannot be had is none (RFC 8461 §3.3)", async () => {
    const { to } = await decide({ sts: { kind: "temporary" } });
    assertEquals(to, {
      tls: "may",
      implicit: false,
      proof: undefined,
      enforced: true,
      source: "default",
      requireTls: false,
    });
  });
});

interface Row {
  readonly name: string;
  readonly shown: (made: Pki) => readonly [Made, ...Made[]];
  readonly want: TlsFlaw | undefined;
}

interface Pki {
  readonly root: Made;
  readonly inter: Made;
  readonly leaf: Made;
}

const host = "mx.example.test";
const untrusted = "certificate-not-trusted";
const table: readonly Row[] = [
  { name: "a whole chain", shown: ({ leaf, inter }) => [leaf, inter], want: undefined },
  { name: "a chain with its root", shown: ({ leaf, inter, root }) => [leaf, inter, root], want: undefined },
  { name: "a chain in another order", shown: ({ leaf, inter, root }) => [leaf, root, inter], want: undefined },
  {
    name: "a wildcard",
    shown: ({ inter }) => [issue({ name: "w", names: "DNS:*.example.test", by: inter }), inter],
    want: undefined,
  },
  {
    name: "a certificate of several names",
    shown: ({ inter }) => [issue({ name: "w", names: `DNS:a.test,DNS:${host}`, by: inter }), inter],
    want: undefined,
  },
  { name: "a chain with a gap", shown: ({ leaf }) => [leaf], want: untrusted },
  { name: "a self-signed certificate", shown: () => [issue({ name: host })], want: untrusted },
  {
    name: "an unknown authority",
    shown: () => {
      const other = issue({ name: "root", authority: true });
      return [issue({ name: host, by: other }), other];
    },
    want: untrusted,
  },
  {
    name: "another name",
    shown: ({ inter }) => [issue({ name: "other.test", by: inter }), inter],
    want: "certificate-host-mismatch",
  },
  {
    name: "a wildcard that does not reach",
    shown: ({ inter }) => [issue({ name: "w", names: "DNS:*.test", by: inter }), inter],
    want: "certificate-host-mismatch",
  },
  {
    name: "only a common name",
    shown: ({ inter }) => [issue({ name: host, names: "IP:127.0.0.1", by: inter }), inter],
    want: "certificate-host-mismatch",
  },
  {
    name: "an expired certificate",
    shown: ({ inter }) => [issue({ name: host, by: inter, days: -1 }), inter],
    want: "certificate-expired",
  },
  {
    name: "a certificate for clients",
    shown: ({ inter }) => [issue({ name: host, by: inter, extensions: ["extendedKeyUsage=clientAuth"] }), inter],
    want: untrusted,
  },
  {
    name: "an issuer that is no authority",
    shown: ({ leaf, inter }) => [issue({ name: host, by: leaf }), leaf, inter],
    want: untrusted,
  },
];

describe(`an MTA-STS policy in handshakes with OpenSSL${opensslNote}`, { ignore: !opensslIsInstalled }, () => {
  let made: Pki | undefined;
  const pki = (): Pki => {
    if (made !== undefined) return made;
    const root = issue({ name: "root", authority: true });
    const inter = issue({ name: "inter", authority: true, by: root });
    return made = { root, inter, leaf: issue({ name: host, by: inter }) };
  };

  for (const { name, shown, want } of table) {
    it(`${want === undefined ? "takes" : "refuses"} ${name}, and only counts it in testing mode`, async () => {
      const { root } = pki();
      const [own, ...chain] = shown(pki());
      await using server = await OpensslServer.start(own, chain);
      const came: Record<Mode, string> = { enforce: "", testing: "" };
      for (const mode of ["enforce", "testing"] as const) {
        const sts = { kind: "policy", mode, mx: [host] } as const;
        const wish = { isDefault: true, authorities: [root.cert] };
        const { to: policy } = await decide({ exchanger: { host }, wish, sts });
        if (typeof policy === "string") throw new Error(policy);
        const result = await secure(await connected(server.port), policy, host, 10_000);
        if (result.kind === "secured") {
          came[mode] = `secured ${result.facts.proved} ${result.facts.flaw}`;
          result.socket.destroy();
        } else came[mode] = `failed ${result.flaw}`;
      }
      assertEquals(came, {
        enforce: want === undefined ? "secured true undefined" : `failed ${want}`,
        testing: want === undefined ? "secured true undefined" : `secured false ${want}`,
      });
    });
  }

  it("is met by no authority of this machine for a certificate of one's own, where none is named", async () => {
    const { leaf, inter } = pki();
    await using server = await OpensslServer.start(leaf, [inter]);
    const policy = await policyOf("enforce", [host], host);
    if (typeof policy === "string") throw new Error(policy);
    const result = await secure(await connected(server.port), policy, host, 10_000);
    assertEquals(result, {
      kind: "failed",
      flaw: untrusted,
      text: "its certificate is vouched for by no authority known here",
    });
  });
});
