/**
 * DANE by tables: TLSA records and the certificates a server shows, and what that comes to (RFC 7671 §5, RFC 7672 §3); pure
 * first, then in handshakes with OpenSSL servers.
 */
import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { tlsaOf } from "../../components/lib/dane/tlsa.ts";
import { daneFailing } from "../../components/lib/dane/verify.ts";
import { secure } from "../../components/lib/tls/client_handshake.ts";
import type { TlsaRecord, TlsFlaw, TlsPolicy } from "../../components/lib/tls/client_policy.ts";
import { connected, issue, OpensslServer, tlsa, x509 } from "../lib/tls/issued.ts";
import { type Made, opensslIsInstalled, opensslNote } from "../lib/tls/openssl.ts";

const dayMs = 86_400_000;

function makeAll() {
  const root = issue({ name: "root", authority: true });
  const inter = issue({ name: "inter", authority: true, by: root });
  const leaf = issue({ name: "mx.test", by: inter });
  const narrow = issue({ name: "narrow", by: root, extensions: ["basicConstraints=critical,CA:true,pathlen:0"] });
  const below = issue({ name: "below", authority: true, by: narrow });
  const noSign = issue({
    name: "nosign",
    by: root,
    authority: true,
    extensions: ["keyUsage=critical,digitalSignature"],
  });
  const limited = issue({
    name: "limited",
    by: root,
    authority: true,
    extensions: ["nameConstraints=permitted;DNS:other.test"],
  });
  // Same name and key usage as `inter`, another key.
  const impostor = issue({ name: "inter", authority: true });
  const plain = issue({ name: "plain", by: root, names: "" });
  return {
    root,
    inter,
    leaf,
    impostor,
    narrow,
    below,
    noSign,
    limited,
    plain,
    other: issue({ name: "other.test", by: inter }),
    wild: issue({ name: "wild", names: "DNS:*.mail.test", by: inter }),
    common: issue({ name: "mx.test", names: "", by: inter }),
    commonAndOther: issue({ name: "mx.test", names: "DNS:other.test", by: inter }),
    expired: issue({ name: "mx.test", by: inter, days: -1 }),
    client: issue({ name: "mx.test", by: inter, extensions: ["extendedKeyUsage=clientAuth"] }),
    self: issue({ name: "mx.test" }),
    selfExpired: issue({ name: "elsewhere.test", days: -1 }),
    stranger: issue({ name: "mx.test", by: impostor }),
    underBelow: issue({ name: "mx.test", by: below }),
    underNarrow: issue({ name: "mx.test", by: narrow }),
    underNoSign: issue({ name: "mx.test", by: noSign }),
    underLimited: issue({ name: "mx.test", by: limited }),
    underPlain: issue({ name: "mx.test", by: plain }),
  };
}

type Name = keyof ReturnType<typeof makeAll>;
let made: ReturnType<typeof makeAll> | undefined;
function certificate(name: Name): Made {
  made ??= makeAll();
  return made[name];
}

/** Whose record, usage, selector, matching type. */
type Record = readonly [Name, number, number, number];

interface Row {
  readonly name: string;
  readonly records: readonly Record[];
  /** The server's own first. */
  readonly shown: readonly [Name, ...Name[]];
  readonly names?: readonly string[];
  readonly inDays?: number;
  /** Undefined: it is proved. */
  readonly want: TlsFlaw | undefined;
}

const untrusted = "certificate-not-trusted";
const mismatch = "certificate-host-mismatch";
const table: readonly Row[] = [
  ...[0, 1].flatMap((selector) =>
    [0, 1, 2].flatMap((matching): Row[] => [
      {
        name: `3 ${selector} ${matching}: the certificate`,
        records: [["leaf", 3, selector, matching]],
        shown: ["leaf"],
        want: undefined,
      },
      {
        name: `3 ${selector} ${matching}: another one`,
        records: [["other", 3, selector, matching]],
        shown: ["leaf"],
        want: "validation-failure",
      },
      {
        name: `2 ${selector} ${matching}: its issuer`,
        records: [["inter", 2, selector, matching]],
        shown: ["leaf", "inter"],
        want: undefined,
      },
      {
        name: `2 ${selector} ${matching}: its issuer's issuer`,
        records: [["root", 2, selector, matching]],
        shown: ["leaf", "inter", "root"],
        want: undefined,
      },
      {
        name: `2 ${selector} ${matching}: another authority`,
        records: [["impostor", 2, selector, matching]],
        shown: ["leaf", "inter", "root"],
        want: untrusted,
      },
    ])
  ),
  { name: "usage 3 asks for no name", records: [["other", 3, 1, 1]], shown: ["other"], want: undefined },
  { name: "usage 3 asks for no dates", records: [["expired", 3, 1, 1]], shown: ["expired"], want: undefined },
  {
    name: "usage 3 takes a self-signed, expired certificate of another name",
    records: [["selfExpired", 3, 0, 1]],
    shown: ["selfExpired"],
    want: undefined,
  },
  {
    name: "usage 3 is about the server's own certificate only",
    records: [["inter", 3, 1, 1]],
    shown: ["leaf", "inter"],
    want: "validation-failure",
  },
  { name: "usage 2 asks for a name", records: [["inter", 2, 1, 1]], shown: ["other", "inter"], want: mismatch },
  {
    name: "usage 2 asks for one of several names",
    records: [["inter", 2, 1, 1]],
    shown: ["other", "inter"],
    names: ["mx.test", "other.test"],
    want: undefined,
  },
  {
    name: "usage 2 takes a wildcard",
    records: [["inter", 2, 1, 1]],
    shown: ["wild", "inter"],
    names: ["a.mail.test"],
    want: undefined,
  },
  {
    name: "usage 2 takes a wildcard for one label only",
    records: [["inter", 2, 1, 1]],
    shown: ["wild", "inter"],
    names: ["a.b.mail.test"],
    want: mismatch,
  },
  {
    name: "usage 2 takes a common name where there is no other (RFC 7672 §3.2.3)",
    records: [["inter", 2, 1, 1]],
    shown: ["common", "inter"],
    want: undefined,
  },
  {
    name: "usage 2 takes no common name beside others",
    records: [["inter", 2, 1, 1]],
    shown: ["commonAndOther", "inter"],
    want: mismatch,
  },
  {
    name: "usage 2 asks for dates",
    records: [["inter", 2, 1, 1]],
    shown: ["expired", "inter"],
    want: "certificate-expired",
  },
  {
    name: "usage 2 asks for an authority's dates, too",
    records: [["root", 2, 1, 1]],
    shown: ["leaf", "inter", "root"],
    inDays: 60,
    want: "certificate-expired",
  },
  {
    name: "usage 2 takes nothing before its time",
    records: [["inter", 2, 1, 1]],
    shown: ["leaf", "inter"],
    inDays: -2,
    want: "certificate-expired",
  },
  {
    name: "usage 2 asks for a certificate for servers",
    records: [["inter", 2, 1, 1]],
    shown: ["client", "inter"],
    want: "validation-failure",
  },
  {
    name: "usage 2 needs the certificates in between",
    records: [["root", 2, 1, 1]],
    shown: ["leaf", "root"],
    want: untrusted,
  },
  {
    name: "usage 2 needs the anchor shown where the record is a digest",
    records: [["inter", 2, 0, 1]],
    shown: ["leaf"],
    want: untrusted,
  },
  {
    name: "usage 2 does not where the record is the certificate",
    records: [["inter", 2, 0, 0]],
    shown: ["leaf"],
    want: undefined,
  },
  {
    name: "usage 2 does not where the record is the key",
    records: [["inter", 2, 1, 0]],
    shown: ["leaf"],
    want: undefined,
  },
  {
    name: "usage 2 does not care for the order",
    records: [["root", 2, 1, 1]],
    shown: ["leaf", "root", "self", "inter"],
    want: undefined,
  },
  {
    name: "usage 2 is not met by an anchor that has issued nothing here",
    records: [["root", 2, 1, 1]],
    shown: ["stranger", "root"],
    want: untrusted,
  },
  {
    name: "usage 2 is not met by an issuer's name without its signature",
    records: [["inter", 2, 1, 1]],
    shown: ["stranger", "inter"],
    want: untrusted,
  },
  {
    name: "usage 2 finds the right one of two authorities of one name",
    records: [["inter", 2, 1, 1]],
    shown: ["leaf", "impostor", "inter"],
    want: undefined,
  },
  {
    name: "usage 2 takes a self-signed certificate that is its own anchor",
    records: [["self", 2, 0, 1]],
    shown: ["self"],
    want: undefined,
  },
  {
    name: "usage 2 takes no server's certificate that another issued for an anchor",
    records: [["leaf", 2, 0, 1]],
    shown: ["leaf", "inter"],
    want: untrusted,
  },
  {
    name: "usage 2 takes no issuer that is no authority",
    records: [["root", 2, 1, 1]],
    shown: ["underPlain", "plain", "root"],
    want: untrusted,
  },
  {
    name: "usage 2 takes no issuer that may not sign certificates",
    records: [["root", 2, 1, 1]],
    shown: ["underNoSign", "noSign", "root"],
    want: untrusted,
  },
  {
    name: "usage 2 takes a chain as long as it may be",
    records: [["root", 2, 1, 1]],
    shown: ["underNarrow", "narrow", "root"],
    want: undefined,
  },
  {
    name: "usage 2 takes none that is longer",
    records: [["root", 2, 1, 1]],
    shown: ["underBelow", "below", "narrow", "root"],
    want: untrusted,
  },
  {
    name: "usage 2 takes no issuer that restricts names",
    records: [["root", 2, 1, 1]],
    shown: ["underLimited", "limited", "root"],
    want: untrusted,
  },
  {
    name: "usage 2 looks at ten certificates",
    records: [["root", 2, 1, 1]],
    shown: ["leaf", ...new Array<Name>(9).fill("self"), "inter", "root"],
    want: untrusted,
  },
  {
    name: "one of several records is enough",
    records: [["other", 3, 1, 1], ["impostor", 2, 0, 1], ["leaf", 3, 0, 1]],
    shown: ["leaf"],
    want: undefined,
  },
  {
    name: "usage 3 counts where usage 2 fails",
    records: [["inter", 2, 1, 1], ["expired", 3, 1, 1]],
    shown: ["expired", "inter"],
    want: undefined,
  },
  {
    name: "usage 2 counts where usage 3 fails",
    records: [["other", 3, 1, 1], ["inter", 2, 1, 1]],
    shown: ["leaf", "inter"],
    want: undefined,
  },
  {
    name: "a right SHA-256 beside a wrong SHA-512 is not looked at (RFC 7671 §9)",
    records: [["leaf", 3, 1, 1], ["other", 3, 1, 2]],
    shown: ["leaf"],
    want: "validation-failure",
  },
];

function recordsOf(records: readonly Record[]): readonly TlsaRecord[] {
  return tlsaOf(records.map(([name, ...numbers]) => ({ value: tlsa(certificate(name), ...numbers) })));
}

function verdict({ shown, names = ["mx.test"], inDays = 0 }: Row, records: readonly TlsaRecord[]): TlsFlaw | undefined {
  const chain = shown.map((name) => x509(certificate(name)));
  return daneFailing(records, chain, names, Date.now() + 60_000 + inDays * dayMs)?.flaw;
}

describe(`daneFailing()${opensslNote}`, { ignore: !opensslIsInstalled }, () => {
  for (const row of table) it(row.name, () => assertEquals(verdict(row, recordsOf(row.records)), row.want));

  it("usage 2 is not met by a certificate whose signature was changed", () => {
    const raw = new Uint8Array(x509(certificate("leaf")).raw);
    raw[raw.length - 1]! ^= 1;
    const [inter, root] = [x509(certificate("inter")), x509(certificate("root"))];
    const chain = [new X509Certificate(Buffer.from(raw)), inter, root];
    for (const record of [["inter", 2, 1, 1], ["inter", 2, 0, 0], ["inter", 2, 1, 0], ["root", 2, 0, 1]] as const) {
      assertEquals(daneFailing(recordsOf([record]), chain, ["mx.test"], Date.now() + 60_000)?.flaw, untrusted);
    }
  });

  it("says the same of records in any order, and of repeated ones", () => {
    const all: readonly Record[] = [["leaf", 3, 1, 1], ["other", 3, 0, 2], ["inter", 2, 1, 0], ["root", 2, 0, 1], [
      "impostor",
      2,
      1,
      1,
    ]];
    const servers: readonly (readonly [Name, ...Name[]])[] = [["leaf", "inter", "root"], ["other", "inter"], ["self"], [
      "expired",
      "inter",
    ]];
    const some = fc.array(fc.nat({ max: all.length - 1 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(some, fc.constantFrom(...servers), (places, shown) => {
        const once = [...new Set(places)].sort().map((place) => all[place]!);
        const want = verdict({ name: "", records: once, shown, want: undefined }, recordsOf(once));
        const given = places.map((place) => all[place]!);
        assertEquals(verdict({ name: "", records: given, shown, want: undefined }, recordsOf(given)), want);
      }),
      { numRuns: 60 },
    );
  });
});

describe(`DANE in handshakes with OpenSSL${opensslNote}`, { ignore: !opensslIsInstalled }, () => {
  const names = [
    "3 1 1: the certificate",
    "3 1 1: another one",
    "2 0 1: its issuer's issuer",
    "usage 3 takes a self-signed, expired certificate of another name",
    "usage 2 asks for a name",
    "usage 2 asks for dates",
    "usage 2 needs the certificates in between",
    "usage 2 does not care for the order",
  ];
  for (const version of ["-tls1_2", "-tls1_3"]) {
    for (const row of table.filter(({ name }) => names.includes(name))) {
      it(`${row.name} (${version})`, async () => {
        const [own, ...chain] = row.shown.map(certificate);
        await using server = await OpensslServer.start(own!, chain, [version]);
        const policy: TlsPolicy = {
          tls: "must",
          implicit: false,
          proof: { kind: "dane", records: recordsOf(row.records), names: ["mx.test"] },
          enforced: true,
          source: "dane",
          requireTls: false,
        };
        const result = await secure(await connected(server.port), policy, "mx.test", 10_000, {
          nowMs: Date.now() + 60_000,
        });
        if (result.kind === "secured") {
          assertEquals({ ...result.facts, cipher: "" }, {
            protocol: version === "-tls1_2" ? "TLSv1.2" : "TLSv1.3",
            cipher: "",
            proved: true,
          });
          result.socket.destroy();
        }
        assertEquals(result.kind === "failed" ? result.flaw : undefined, row.want);
      });
    }
  }
});
