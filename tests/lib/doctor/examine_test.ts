/** Each examination of `deno task doctor` by itself: what is in the DNS, and what is said of it. */
import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { err, ok } from "../../../components/lib/result.ts";
import { examineDkim } from "../../../components/lib/doctor/dkim.ts";
import { examineDmarc } from "../../../components/lib/doctor/dmarc.ts";
import { exitCodeOf, type Finding, type State } from "../../../components/lib/doctor/finding.ts";
import { examineMx } from "../../../components/lib/doctor/mx.ts";
import { examinePtr } from "../../../components/lib/doctor/ptr.ts";
import type { Site } from "../../../components/lib/doctor/site.ts";
import { examineSpf } from "../../../components/lib/doctor/spf.ts";
import { examineSts } from "../../../components/lib/doctor/sts.ts";
import { examineTlsrpt } from "../../../components/lib/doctor/tlsrpt.ts";
import { asking, type FakeZone, site } from "./zone.ts";

/** What is found, as `state subject`; and something of a text or a record that has to be there. */
interface Row {
  readonly claim: string;
  readonly zone: FakeZone;
  readonly want: readonly string[];
  readonly says?: string;
  readonly site?: Partial<Site>;
}

function check(rows: readonly Row[], examine: (row: Row) => Promise<readonly Finding[]>): void {
  for (const row of rows) {
    it(row.claim, async () => {
      const found = await examine(row);
      assertEquals(found.map(({ state, subject }) => `${state} ${subject}`), row.want);
      const text = found.map(({ why, paste = [] }) => [why, ...paste].join("\n")).join("\n");
      if (row.says !== undefined) assertStringIncludes(text, row.says);
    });
  }
}

const host: FakeZone = { "mail.a.example A": ["192.0.2.1"] };

describe("examineMx()", () => {
  const mx = (...values: readonly string[]): FakeZone => ({ ...host, "a.example MX": values });
  check([
    {
      claim: "knows this host by its name",
      zone: mx("10 mail.a.example"),
      want: ["good a.example", "good mail.a.example"],
    },
    {
      claim: "knows this host by its address",
      zone: {
        "a.example MX": ["10 mx.a.example", "20 b.example"],
        "mx.a.example A": ["192.0.2.1"],
        "b.example A": ["192.0.2.9"],
      },
      want: ["good a.example", "good mx.a.example", "good b.example"],
    },
    {
      claim: "says where another host is the only one",
      zone: { ...mx("10 b.example"), "b.example A": ["192.0.2.9"] },
      want: ["wrong a.example", "good b.example"],
      says: "a.example. IN MX 10 mail.a.example.",
    },
    {
      claim: "misses one",
      zone: { ...host, "a.example TXT": ["x"] },
      want: ["missing a.example"],
      says: "no mail arrives",
    },
    {
      claim: "misses one where mail goes to the domain's address",
      zone: { "a.example A": ["192.0.2.1"] },
      want: ["missing a.example"],
      says: "own address",
    },
    { claim: "misses the domain", zone: host, want: ["missing a.example"], says: "does not exist" },
    { claim: "says what a null MX means", zone: mx("0 "), want: ["wrong a.example"], says: "RFC 7505" },
    {
      claim: "says that a null MX stands alone",
      zone: mx("0 ", "10 mail.a.example"),
      want: ["wrong a.example"],
      says: "beside others",
    },
    {
      claim: "finds an exchanger that is not there",
      zone: { "a.example MX": ["10 mail.a.example", "20 gone.example"], ...host },
      want: ["good a.example", "good mail.a.example", "missing gone.example"],
    },
    {
      claim: "says which addresses this host's own name should have",
      zone: { "a.example MX": ["10 mail.a.example"] },
      want: ["good a.example", "missing mail.a.example"],
      says: "mail.a.example. IN A 192.0.2.1",
    },
    {
      claim: "finds an alias",
      zone: { ...mx("10 mail.a.example"), "mail.a.example CNAME": ["elsewhere.example"] },
      want: ["good a.example", "wrong mail.a.example", "good mail.a.example"],
    },
    {
      claim: "finds an address in a name's place",
      zone: mx("10 192.0.2.1"),
      want: ["wrong a.example", "wrong 192.0.2.1"],
    },
    {
      claim: "finds an address that nobody reaches",
      zone: { "a.example MX": ["10 mail.a.example"], "mail.a.example A": ["10.0.0.1"] },
      want: ["good a.example", "wrong mail.a.example"],
    },
    {
      claim: "says that this host would refuse the mail",
      zone: mx("10 mail.a.example"),
      site: { notTaken: "control/rcpthosts does not name it" },
      want: ["good a.example", "good mail.a.example", "wrong a.example"],
    },
    { claim: "says that nobody knows", zone: { "a.example MX": "silent" }, want: ["unsure a.example"] },
    {
      claim: "says that nobody knows an exchanger's address",
      zone: { "a.example MX": ["10 mail.a.example"], "mail.a.example A": "silent" },
      want: ["good a.example", "unsure mail.a.example"],
    },
  ], async ({ zone, site: change }) => (await examineMx("a.example", { ...site, ...change }, asking(zone))).found);
});

describe("examinePtr()", () => {
  const reverse = "1.2.0.192.in-addr.arpa";
  check([
    {
      claim: "is content with a name that leads back",
      zone: { ...host, [`${reverse} PTR`]: ["other.example", "mail.a.example"] },
      want: ["good 192.0.2.1", "good mail.a.example"],
    },
    {
      claim: "misses the name",
      zone: host,
      want: ["missing 192.0.2.1", "good mail.a.example"],
      says: `${reverse}. IN PTR mail.a.example.`,
    },
    {
      claim: "finds a name that leads elsewhere",
      zone: { ...host, [`${reverse} PTR`]: ["b.example"], "b.example A": ["192.0.2.9"] },
      want: ["wrong 192.0.2.1", "good mail.a.example"],
    },
    {
      claim: "finds a name given with EHLO that is another host's",
      zone: { "mail.a.example A": ["192.0.2.9"], [`${reverse} PTR`]: ["b.example"], "b.example A": ["192.0.2.1"] },
      want: ["good 192.0.2.1", "wrong mail.a.example"],
      says: "mail.a.example. IN A 192.0.2.1",
    },
    {
      claim: "says that nobody knows",
      zone: { ...host, [`${reverse} PTR`]: "silent" },
      want: ["unsure 192.0.2.1", "good mail.a.example"],
    },
    { claim: "says that no address is known", zone: host, site: { addresses: [] }, want: ["unsure mail.a.example"] },
  ], ({ zone, site: change }) => examinePtr({ ...site, ...change }, asking(zone)));
});

describe("examineSpf()", () => {
  const spf = (...texts: readonly string[]): FakeZone => ({ ...host, "a.example TXT": texts });
  const good = ["good a.example", "good a.example", "good 192.0.2.1"];
  check([
    {
      claim: "is content with this host's address",
      zone: spf("v=spf1 ip4:192.0.2.1 -all"),
      want: good,
      says: "0 of 10",
    },
    { claim: "follows mx", zone: { ...spf("v=spf1 mx ~all"), "a.example MX": ["10 mail.a.example"] }, want: good },
    {
      claim: "follows include",
      zone: { ...spf("v=spf1 include:x.example -all"), "x.example TXT": ["v=spf1 ip4:192.0.2.0/24 ?all"] },
      want: good,
    },
    {
      claim: "follows redirect",
      zone: { ...spf("v=spf1 redirect=x.example"), "x.example TXT": ["v=spf1 ip4:192.0.2.1 -all"] },
      want: good,
    },
    {
      claim: "misses one",
      zone: spf("v=spf2.0 x"),
      want: ["missing a.example"],
      says: 'a.example. IN TXT "v=spf1 mx ip4:192.0.2.1 -all"',
    },
    { claim: "finds two", zone: spf("v=spf1 -all", "v=spf1 mx -all"), want: ["wrong a.example"] },
    {
      claim: "proposes a record with this host's address",
      zone: spf("v=spf1 ip4:192.0.2.9 -all"),
      want: ["good a.example", "good a.example", "wrong 192.0.2.1"],
      says: '"v=spf1 ip4:192.0.2.1 ip4:192.0.2.9 -all"',
    },
    {
      claim: "asks for an end",
      zone: spf("v=spf1 ip4:192.0.2.1"),
      want: ["good a.example", "wrong a.example", "good 192.0.2.1"],
      says: '"v=spf1 ip4:192.0.2.1 -all"',
    },
    {
      claim: "does not count +all as one",
      zone: spf("v=spf1 +all"),
      want: ["good a.example", "wrong a.example", "good 192.0.2.1"],
      says: '"v=spf1 -all"',
    },
    {
      claim: "finds what stands behind the end",
      zone: spf("v=spf1 -all ip4:192.0.2.1"),
      want: ["good a.example", "wrong a.example", "wrong 192.0.2.1"],
    },
    {
      claim: "counts lookups",
      zone: spf(`v=spf1 ip4:192.0.2.1 ${"a:x.example ".repeat(11)}-all`),
      want: ["wrong a.example", "good a.example", "good 192.0.2.1"],
      says: "more than 10",
    },
    {
      claim: "ends in a circle of records, and at very many",
      zone: {
        ...spf(`v=spf1 ip4:192.0.2.1 ${"include:b.example ".repeat(9)}-all`),
        "b.example TXT": [`v=spf1 ${"include:b.example ".repeat(20)}-all`],
      },
      want: ["wrong a.example", "good a.example", "good 192.0.2.1"],
    },
    {
      claim: "finds an include of nothing",
      zone: spf("v=spf1 include:gone.example -all"),
      want: ["wrong a.example", "good a.example", "wrong 192.0.2.1"],
      says: "gone.example has no record",
    },
    { claim: "says that nobody knows", zone: { "a.example TXT": "silent" }, want: ["unsure a.example"] },
    {
      claim: "says that nobody knows what is included",
      zone: { ...spf("v=spf1 include:x.example -all"), "x.example TXT": "silent" },
      want: ["unsure a.example", "good a.example", "unsure 192.0.2.1"],
    },
  ], ({ zone, site: change }) => examineSpf("a.example", { ...site, ...change }, asking(zone)));
});

describe("examineDkim()", () => {
  const record = "v=DKIM1; k=ed25519; p=QUJD";
  const keys = (from = "") => ({ keys: [{ domain: "a.example", selector: { name: "s1", from }, record: ok(record) }] });
  const unseen = {
    keys: [{ domain: "a.example", selector: { name: "s1", from: "" }, record: "unseen" as const }],
  };
  const name = "s1._domainkey.a.example";
  check([
    {
      claim: "is content with the key's record",
      zone: { [`${name} TXT`]: [record] },
      site: keys(),
      want: [`good ${name}`],
    },
    {
      claim: "is content with it in another spelling",
      zone: { [`${name} TXT`]: ["k=ed25519 ;p=Q UJD; n=x"] },
      site: keys(),
      want: [`good ${name}`],
    },
    {
      claim: "misses it",
      zone: {},
      site: keys("2026-12-01"),
      want: [`missing ${name}`],
      says: `${name}. IN TXT "${record}"`,
    },
    {
      claim: "says from when on a key signs",
      zone: {},
      site: keys("2026-12-01"),
      want: [`missing ${name}`],
      says: "2026-12-01",
    },
    {
      claim: "finds another key's",
      zone: { [`${name} TXT`]: ["v=DKIM1; k=ed25519; p=QUJE"] },
      site: keys(),
      want: [`wrong ${name}`],
    },
    {
      claim: "finds one of another kind",
      zone: { [`${name} TXT`]: ["v=DKIM1; p=QUJD"] },
      site: keys(),
      want: [`wrong ${name}`],
    },
    {
      claim: "finds a key that is withdrawn",
      zone: { [`${name} TXT`]: ["v=DKIM1; p="] },
      site: keys(),
      want: [`wrong ${name}`],
      says: "withdrawn",
    },
    { claim: "finds two", zone: { [`${name} TXT`]: [record, record] }, site: keys(), want: [`wrong ${name}`] },
    { claim: "finds a test", zone: { [`${name} TXT`]: [`${record}; t=s:y`] }, site: keys(), want: [`note ${name}`] },
    { claim: "says that nobody knows", zone: { [`${name} TXT`]: "silent" }, site: keys(), want: [`unsure ${name}`] },
    { claim: "misses a key", zone: {}, want: ["missing a.example"], says: "deno task dkim keygen a.example" },
    {
      claim: "says what is wrong with the key's file",
      zone: {},
      site: { keys: [{ domain: "a.example", selector: { name: "s1", from: "" }, record: err("there is no key") }] },
      want: [`wrong ${name}`],
    },
    {
      claim: "is content with a record where the key itself is not to be read",
      zone: { [`${name} TXT`]: ["v=DKIM1; p=QUJE"] },
      site: unseen,
      want: [`good ${name}`],
      says: "deno task doctor tells",
    },
    { claim: "misses it there", zone: {}, site: unseen, want: [`missing ${name}`] },
    { claim: "finds two there", zone: { [`${name} TXT`]: [record, record] }, site: unseen, want: [`wrong ${name}`] },
    { claim: "finds none but a text there", zone: { [`${name} TXT`]: ["x"] }, site: unseen, want: [`wrong ${name}`] },
    { claim: "finds it withdrawn there", zone: { [`${name} TXT`]: ["p="] }, site: unseen, want: [`wrong ${name}`] },
    {
      claim: "says that nobody knows there",
      zone: { [`${name} TXT`]: "silent" },
      site: unseen,
      want: [`unsure ${name}`],
    },
  ], ({ zone, site: change }) => examineDkim("a.example", { ...site, ...change }, asking(zone)));
});

describe("examineDmarc()", () => {
  const name = "_dmarc.a.example";
  const dmarc = (...texts: readonly string[]): FakeZone => ({ [`${name} TXT`]: texts });
  check([
    {
      claim: "is content with a policy and reports",
      zone: dmarc("v=DMARC1; p=reject; rua=mailto:r@a.example"),
      want: [`good ${name}`, `good ${name}`],
    },
    {
      claim: "misses one",
      zone: {},
      want: [`missing ${name}`],
      says: `${name}. IN TXT "v=DMARC1; p=none; rua=mailto:postmaster@a.example"`,
    },
    { claim: "finds two", zone: dmarc("v=DMARC1; p=none", "v=DMARC1; p=reject"), want: [`wrong ${name}`] },
    { claim: "finds a policy that is none", zone: dmarc("v=DMARC1; p=deny"), want: [`wrong ${name}`], says: "p=deny" },
    { claim: "finds no policy", zone: dmarc("v=DMARC1; rua=mailto:r@a.example"), want: [`wrong ${name}`] },
    { claim: "finds what is no tag", zone: dmarc("v=DMARC1; reject"), want: [`wrong ${name}`] },
    {
      claim: "says what p=none is, and that nobody reports",
      zone: dmarc("v=DMARC1; p=none"),
      want: [`note ${name}`, `note ${name}`],
    },
    {
      claim: "finds an rua without an address",
      zone: dmarc("v=DMARC1; p=reject; rua=r@a.example"),
      want: [`good ${name}`, `wrong ${name}`],
    },
    {
      claim: "misses the consent of another domain",
      zone: dmarc("v=DMARC1; p=reject; rua=mailto:r@b.example"),
      want: [`good ${name}`, "missing a.example._report._dmarc.b.example"],
      says: 'a.example._report._dmarc.b.example. IN TXT "v=DMARC1"',
    },
    {
      claim: "finds the consent of another domain",
      zone: {
        ...dmarc("v=DMARC1; p=reject; rua=mailto:r@b.example"),
        "a.example._report._dmarc.b.example TXT": ["v=DMARC1"],
      },
      want: [`good ${name}`, `good ${name}`],
    },
    { claim: "says that nobody knows", zone: { [`${name} TXT`]: "silent" }, want: [`unsure ${name}`] },
  ], ({ zone }) => examineDmarc("a.example", asking(zone)));

  it("takes the record of the organization, and what it says of domains below", async () => {
    const zone: FakeZone = { "_dmarc.a.example TXT": ["v=DMARC1; p=reject; sp=none"] };
    const [policy] = await examineDmarc("news.a.example", asking(zone));
    assertEquals([policy!.state, policy!.subject], ["note", "_dmarc.a.example"]);
  });
});

describe("examineSts()", () => {
  const name = "_mta-sts.a.example";
  const zone: FakeZone = { [`${name} TXT`]: ["v=STSv1; id=1;"] };
  const exchangers = [{ host: "mail.a.example", addresses: [], isOurs: true, authenticated: false }];
  const where = "https://mta-sts.a.example/.well-known/mta-sts.txt";
  const policy = { mode: "enforce" as const, mx: ["*.a.example"], maxAgeSeconds: 600 };
  const fetched = [
    { claim: "is content with a policy that is enforced", result: { kind: "policy", policy }, want: `good ${where}` },
    {
      claim: "says what testing is",
      result: { kind: "policy", policy: { ...policy, mode: "testing" } },
      want: `note ${where}`,
    },
    {
      claim: "finds an MX that is not named",
      result: { kind: "policy", policy: { ...policy, mx: ["b.example"] } },
      want: `wrong ${where}`,
    },
    {
      claim: "finds no policy",
      result: { kind: "failed", flaw: "sts-policy-invalid", why: "no mx" },
      want: `wrong ${where}`,
    },
    {
      claim: "does not know where it cannot connect",
      result: { kind: "failed", flaw: "sts-policy-fetch-error", why: "no connection: ENETUNREACH" },
      want: `unsure ${where}`,
    },
  ] as const;
  for (const { claim, result, want } of fetched) {
    it(claim, async () => {
      const world = { ask: asking(zone), fetchPolicy: () => Promise.resolve(result), nowMs: 0 };
      const found = await examineSts("a.example", site, exchangers, world);
      assertEquals(found.map(({ state, subject }) => `${state} ${subject}`), [`good ${name}`, want]);
    });
  }
  check([
    { claim: "says that nothing was fetched", zone, want: [`good ${name}`, "note a.example"] },
    {
      claim: "misses the record, and proposes record and policy",
      zone: {},
      want: [`missing ${name}`],
      says: "; mx: mail.a.example",
    },
    {
      claim: "gives the record an id",
      zone: {},
      want: [`missing ${name}`],
      says: `${name}. IN TXT "v=STSv1; id=20261122120000;"`,
    },
    { claim: "finds two", zone: { [`${name} TXT`]: ["v=STSv1; id=1;", "v=STSv1; id=2;"] }, want: [`wrong ${name}`] },
    { claim: "finds no id", zone: { [`${name} TXT`]: ["v=STSv1;"] }, want: [`wrong ${name}`] },
    { claim: "says that nobody knows", zone: { [`${name} TXT`]: "silent" }, want: [`unsure ${name}`] },
  ], ({ zone }) => {
    const world = { ask: asking(zone), fetchPolicy: undefined, nowMs: Date.parse("2026-11-22T12:00:00Z") };
    return examineSts("a.example", site, exchangers, world);
  });
});

describe("examineTlsrpt()", () => {
  const name = "_smtp._tls.a.example";
  check([
    {
      claim: "is content with an address",
      zone: { [`${name} TXT`]: ["v=TLSRPTv1; rua=mailto:t@a.example,https://a.example/"] },
      want: [`good ${name}`],
    },
    {
      claim: "misses it",
      zone: {},
      want: [`missing ${name}`],
      says: `${name}. IN TXT "v=TLSRPTv1; rua=mailto:postmaster@a.example"`,
    },
    {
      claim: "finds two",
      zone: { [`${name} TXT`]: ["v=TLSRPTv1; rua=mailto:t@a.example", "v=TLSRPTv1; rua=mailto:u@a.example"] },
      want: [`wrong ${name}`],
    },
    { claim: "finds nobody in it", zone: { [`${name} TXT`]: ["v=TLSRPTv1;"] }, want: [`wrong ${name}`] },
    { claim: "says that nobody knows", zone: { [`${name} TXT`]: "silent" }, want: [`unsure ${name}`] },
  ], async ({ zone }) => [await examineTlsrpt("a.example", asking(zone))]);
});

describe("exitCodeOf()", () => {
  const rows: readonly (readonly [readonly State[], number])[] = [
    [[], 0],
    [["good", "note"], 0],
    [["good", "unsure"], 111],
    [["unsure", "missing"], 1],
    [["wrong"], 1],
  ];
  for (const [states, want] of rows) {
    it(`is ${want} for ${states.join(", ") || "nothing"}`, () => {
      const found = states.map((state): Finding => ({ topic: "MX", state, subject: "x", why: "y" }));
      assertEquals(exitCodeOf(found), want);
    });
  }
});
