import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { findDestinations, permissionName } from "../../../components/lib/dmarc/destinations.ts";
import { findDmarcRecord, parseDmarcRecord, reportUrisOf } from "../../../components/lib/dmarc/record.ts";
import type { ResolveReply } from "../../../components/lib/wire/resolver_protocol.ts";

describe("parseDmarcRecord() (RFC 9989 §4.7)", () => {
  const rows: readonly { readonly text: string; readonly want: Readonly<Record<string, string>> | undefined }[] = [
    { text: "v=DMARC1; p=none", want: { v: "DMARC1", p: "none" } },
    { text: "v=DMARC1;p=reject;", want: { v: "DMARC1", p: "reject" } },
    { text: "v = DMARC1 ; P = reject ;", want: { v: "DMARC1", p: "reject" } },
    { text: "v=DMARC1", want: { v: "DMARC1" } },
    { text: "v=DMARC1; p=none; p=reject", want: { v: "DMARC1", p: "none" } },
    { text: "v=DMARC1; rua=mailto:a@b.example?x=y", want: { v: "DMARC1", rua: "mailto:a@b.example?x=y" } },
    { text: "v=DMARC1; p", want: undefined },
    { text: "v=DMARC10; p=none", want: undefined },
    { text: "v=dmarc1; p=none", want: undefined },
    { text: "p=none; v=DMARC1", want: undefined },
    { text: "v=spf1 -all", want: undefined },
    { text: "", want: undefined },
  ];
  for (const { text, want } of rows) {
    it(`${want === undefined ? "refuses" : "reads"} ${JSON.stringify(text)}`, () => {
      const parsed = parseDmarcRecord(text);
      assertEquals(parsed.ok ? Object.fromEntries(parsed.value.tags) : undefined, want);
    });
  }

  it("is for one record alone", () => {
    assert(findDmarcRecord(["v=spf1 -all", "v=DMARC1; p=none"]) !== undefined);
    assertEquals(findDmarcRecord(["v=DMARC1; p=none", "v=DMARC1; p=reject"]), undefined);
    assertEquals(findDmarcRecord([]), undefined);
  });

  it("throws at no octets", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
      const record = findDmarcRecord([`v=DMARC1;${text}`]);
      const addresses = record === undefined ? [] : reportUrisOf(record).map(({ address }) => address);
      assertEquals(addresses.filter((address) => !/^[!-~]+@[A-Za-z0-9._-]+$/.test(address)), []);
    }));
  });
});

describe("reportUrisOf()", () => {
  const rows: readonly (readonly [rua: string, want: readonly object[]])[] = [
    ["mailto:a@b.example", [{ address: "a@b.example" }]],
    ["mailto:a@b.example!10m , mailto:c@d.example!50K,mailto:e@f.example!7", [
      { address: "a@b.example", mostBytes: 10 * 1024 * 1024 },
      { address: "c@d.example", mostBytes: 50 * 1024 },
      { address: "e@f.example", mostBytes: 7 },
    ]],
    ["https://b.example/x,mailto:a@b.example", [{ address: "a@b.example" }]],
    ["mailto:a%2Bb@c.example,mailto:a+b@c.example", [{ address: "a+b@c.example" }]],
    ["mailto:a@b.example%0aBcc:c,mailto:<a@b.example>,mailto:a b@c,,mailto:", []],
    ["", []],
  ];
  for (const [rua, want] of rows) {
    it(`reads ${JSON.stringify(rua)}`, () => {
      const record = findDmarcRecord([`v=DMARC1; p=none; rua=${rua}`]);
      assertEquals(reportUrisOf(record!), want as ReturnType<typeof reportUrisOf>);
    });
  }

  it("names five at the most", () => {
    const rua = Array.from({ length: 100 }, (_, n) => `mailto:a${n}@b.example`).join(",");
    assertEquals(reportUrisOf(findDmarcRecord([`v=DMARC1; rua=${rua}`])!).length, 5);
  });
});

describe("permissionName() (RFC 9990 §4)", () => {
  const rows: readonly (readonly [string, string, string | undefined])[] = [
    ["a.example", "a.example", undefined],
    ["a.example", "mail.a.example", undefined],
    ["mail.a.example", "a.example", undefined],
    ["a.example", "b.example", "a.example._report._dmarc.b.example"],
    ["a.co.uk", "b.co.uk", "a.co.uk._report._dmarc.b.co.uk"],
    ["me.github.io", "you.github.io", "me.github.io._report._dmarc.you.github.io"],
  ];
  for (const [domain, host, want] of rows) {
    it(`is ${want ?? "none"} for ${domain} at ${host}`, () => assertEquals(permissionName(domain, host), want));
  }
});

describe("findDestinations()", () => {
  /** Asks a zone of texts; "temporary" for what has no answer now. */
  function asking(zone: Readonly<Record<string, readonly string[] | "temporary">>) {
    const asked: string[] = [];
    const lookUp = (name: string): Promise<ResolveReply> => {
      asked.push(name);
      const texts = zone[name];
      const status = texts === undefined ? "nxdomain" : texts === "temporary" ? texts : "ok";
      const records = texts === undefined || texts === "temporary" ? [] : texts.map((value) => ({ value }));
      return Promise.resolve({ status, authenticated: false, records });
    };
    return { asked, lookUp };
  }
  const permission = "a.example._report._dmarc.b.example";
  const rows: readonly {
    readonly claim: string;
    readonly zone: Parameters<typeof asking>[0];
    readonly want: readonly string[] | undefined;
  }[] = [
    { claim: "none where there is no record", zone: {}, want: [] },
    { claim: "none where the record names none", zone: { "_dmarc.a.example": ["v=DMARC1; p=none"] }, want: [] },
    { claim: "not known where the DNS is silent", zone: { "_dmarc.a.example": "temporary" }, want: undefined },
    {
      claim: "an address of its own",
      zone: { "_dmarc.a.example": ["v=DMARC1; rua=mailto:r@x.a.example"] },
      want: ["r@x.a.example"],
    },
    {
      claim: "nobody elsewhere who has not agreed",
      zone: { "_dmarc.a.example": ["v=DMARC1; rua=mailto:r@a.example,mailto:victim@b.example"] },
      want: ["r@a.example"],
    },
    {
      claim: "nobody elsewhere for a text that is not DMARC's",
      zone: { "_dmarc.a.example": ["v=DMARC1; rua=mailto:victim@b.example"], [permission]: ["v=spf1 -all"] },
      want: [],
    },
    {
      claim: "not known where the other's answer is not there",
      zone: { "_dmarc.a.example": ["v=DMARC1; rua=mailto:r@b.example"], [permission]: "temporary" },
      want: undefined,
    },
    {
      claim: "who has agreed",
      zone: { "_dmarc.a.example": ["v=DMARC1; rua=mailto:r@b.example"], [permission]: ["v=DMARC1"] },
      want: ["r@b.example"],
    },
    {
      claim: "where he who agreed wants them",
      zone: {
        "_dmarc.a.example": ["v=DMARC1; rua=mailto:r@b.example"],
        [permission]: ["v=DMARC1; rua=mailto:other@b.example"],
      },
      want: ["other@b.example"],
    },
    {
      claim: "nobody where he who agreed wants them elsewhere again",
      zone: {
        "_dmarc.a.example": ["v=DMARC1; rua=mailto:r@b.example"],
        [permission]: ["v=DMARC1; rua=mailto:victim@c.example"],
      },
      want: [],
    },
  ];
  for (const { claim, zone, want } of rows) {
    it(`finds ${claim}`, async () => {
      const { lookUp } = asking(zone);
      assertEquals((await findDestinations("a.example", lookUp))?.map(({ address }) => address), want);
    });
  }

  it("asks for no name that is too long for the DNS", async () => {
    const domain = `${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.example`;
    const host = `${"d".repeat(60)}.example`;
    const { asked, lookUp } = asking({ [`_dmarc.${domain}`]: [`v=DMARC1; rua=mailto:r@${host}`] });
    assertEquals([await findDestinations(domain, lookUp), asked.length], [[], 1]);
  });
});
