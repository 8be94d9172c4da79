import { X509Certificate } from "node:crypto";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { type PeerCertificate, readPeerCertificate } from "../../../components/lib/tls/client_peer_certificate.ts";
import { issue, x509 } from "./issued.ts";
import { opensslIsInstalled, opensslNote } from "./openssl.ts";

function read(certificate: X509Certificate): PeerCertificate {
  const fields = readPeerCertificate(certificate.raw);
  assert(fields !== undefined);
  return fields;
}

const plain = {
  dnsNames: ["mx.test"],
  addresses: [],
  commonName: "mx.test",
  isAuthority: false,
  authoritiesBelow: 0,
  isForServers: true,
  isStrange: false,
};

describe(`readPeerCertificate()${opensslNote}`, { ignore: !opensslIsInstalled }, () => {
  const table: readonly {
    readonly name: string;
    readonly made: Parameters<typeof issue>[0];
    readonly want: Partial<PeerCertificate>;
  }[] = [
    { name: "a server's", made: { name: "mx.test" }, want: {} },
    {
      name: "names, in lower case, and addresses",
      made: { name: "MX.test", names: "DNS:A.Test,DNS:*.b.test,IP:192.0.2.1,IP:2001:db8::1,email:x@y.test" },
      want: { dnsNames: ["a.test", "*.b.test"], addresses: ["192.0.2.1", "2001:db8::1"] },
    },
    { name: "one without extensions", made: { name: "mx.test", names: "" }, want: { dnsNames: [] } },
    {
      name: "an authority's",
      made: { name: "mx.test", authority: true },
      want: { dnsNames: [], isAuthority: true, authoritiesBelow: Infinity },
    },
    {
      name: "one that limits what is below it",
      made: { name: "mx.test", extensions: ["basicConstraints=CA:true,pathlen:3"] },
      want: { isAuthority: true, authoritiesBelow: 3 },
    },
    {
      name: "one that says it is no authority",
      made: { name: "mx.test", extensions: ["basicConstraints=critical,CA:false"] },
      want: {},
    },
    {
      name: "an authority that may sign",
      made: { name: "mx.test", extensions: ["basicConstraints=CA:true", "keyUsage=critical,keyCertSign,cRLSign"] },
      want: { isAuthority: true, authoritiesBelow: Infinity },
    },
    {
      name: "an authority that may not",
      made: { name: "mx.test", extensions: ["basicConstraints=CA:true", "keyUsage=critical,cRLSign"] },
      want: {},
    },
    {
      name: "one for servers and clients",
      made: { name: "mx.test", extensions: ["extendedKeyUsage=serverAuth,clientAuth"] },
      want: {},
    },
    {
      name: "one for anything",
      made: { name: "mx.test", extensions: ["extendedKeyUsage=anyExtendedKeyUsage"] },
      want: {},
    },
    {
      name: "one for clients",
      made: { name: "mx.test", extensions: ["extendedKeyUsage=clientAuth"] },
      want: { isForServers: false },
    },
    {
      name: "a critical extension that nobody knows",
      made: { name: "mx.test", extensions: ["1.2.3.4=critical,DER:0500"] },
      want: { isStrange: true },
    },
    { name: "the same, not critical", made: { name: "mx.test", extensions: ["1.2.3.4=DER:0500"] }, want: {} },
    {
      name: "one that restricts names",
      made: { name: "mx.test", extensions: ["nameConstraints=permitted;DNS:x.test"] },
      want: { isStrange: true },
    },
  ];
  for (const { name, made, want } of table) {
    it(`reads ${name}`, () => {
      const { publicKey: _, ...fields } = read(x509(issue(made)));
      const commonName = made.name.toLowerCase();
      assertEquals(fields, { ...plain, commonName, ...want });
    });
  }

  it("finds the public key, of any kind", () => {
    for (const newKey of [["rsa:2048"], ["ed25519"], ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]]) {
      const certificate = x509(issue({ name: "mx.test", newKey }));
      const spki = certificate.publicKey.export({ type: "spki", format: "der" });
      assertEquals(read(certificate).publicKey.toHex(), new Uint8Array(spki).toHex());
    }
  });

  it("takes no name with a NUL or a blank in it", () => {
    const { dnsNames } = read(x509(issue({ name: "mx.test", names: "DNS:a b.test,DNS:c.test" })));
    assertEquals(dnsNames, ["c.test"]);
  });

  it("never throws, whatever is cut off or changed", () => {
    const raw = new Uint8Array(
      x509(issue({ name: "mx.test", extensions: ["basicConstraints=CA:true,pathlen:0"] })).raw,
    );
    for (let length = 0; length < raw.length; length++) readPeerCertificate(raw.subarray(0, length));
    const places = fc.array(fc.tuple(fc.nat({ max: raw.length - 1 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(places, (changes) => {
        const changed = raw.slice();
        for (const [place, octet] of changes) changed[place] = octet;
        readPeerCertificate(changed);
      }),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => void readPeerCertificate(octets)));
  });
});
