import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { checkDmarc, type DmarcInput } from "../../../components/lib/mailauth/dmarc.ts";
import { Lookups } from "../../../components/lib/mailauth/lookups.ts";
import { resolverOf, type Zone } from "./zone.ts";

const zone: Zone = {
  "_dmarc.bank.example TXT": ["v=DMARC1; p=reject; rua=mailto:r@bank.example"],
  "bank.example A": ["192.0.2.1"],
  "_dmarc.strict.example TXT": ["v=DMARC1; p=reject; adkim=s; aspf=s"],
  "_dmarc.soft.example TXT": ["v=DMARC1; p=quarantine"],
  "_dmarc.watch.example TXT": ["v=DMARC1; p=none; rua=mailto:r@watch.example"],
  "_dmarc.sub.example TXT": ["v=DMARC1; p=reject; sp=none; np=quarantine"],
  "there.sub.example A": ["192.0.2.1"],
  "_dmarc.testing.example TXT": ["v=DMARC1; p=reject; t=y"],
  "_dmarc.silent.example TXT": "silent",
  "_dmarc.two.example TXT": ["v=DMARC1; p=reject", "v=DMARC1; p=none"],
  "_dmarc.words.example TXT": ["v=spf1 -all", "v=DMARC1; p=reject", "hello"],
  "_dmarc.badv.example TXT": ["v=dmarc1; p=reject"],
  "_dmarc.late.example TXT": ["p=reject; v=DMARC1"],
  "_dmarc.nopolicy.example TXT": ["v=DMARC1; rua=mailto:r@nopolicy.example"],
  "_dmarc.badpolicy.example TXT": ["v=DMARC1; p=destroy"],
  "_dmarc.doubled.example TXT": ["v=DMARC1; p=reject; p=none"],
  "_dmarc.psd.example TXT": ["v=DMARC1; p=none; psd=y"],
  "_dmarc.shop.psd.example TXT": ["v=DMARC1; p=reject"],
  "_dmarc.xn--bcher-kva.example TXT": ["v=DMARC1; p=reject"],
};

interface Row {
  readonly from: string | readonly string[];
  readonly spf?: string;
  readonly dkim?: readonly string[];
  readonly want: string;
}

/** `want`: the result, and behind a blank the policy that counts. */
const rows: readonly Row[] = [
  { from: "bank.example", want: "fail reject" },
  { from: "bank.example", spf: "bank.example", want: "pass none" },
  { from: "bank.example", spf: "mail.bank.example", want: "pass none" },
  { from: "mail.bank.example", spf: "bank.example", want: "pass none" },
  { from: "bank.example", spf: "evil.example", want: "fail reject" },
  { from: "bank.example", spf: "example", want: "fail reject" },
  { from: "bank.example", spf: "notbank.example", want: "fail reject" },
  { from: "bank.example", spf: "bank.example.evil.example", want: "fail reject" },
  { from: "bank.example", dkim: ["bank.example"], want: "pass none" },
  { from: "bank.example", dkim: ["evil.example", "news.bank.example"], want: "pass none" },
  { from: "bank.example", dkim: ["evil.example"], spf: "evil.example", want: "fail reject" },
  { from: "BANK.example", dkim: ["bank.EXAMPLE"], want: "pass none" },
  { from: "bank.example.", dkim: ["bank.example"], want: "pass none" },
  { from: "strict.example", spf: "strict.example", want: "pass none" },
  { from: "strict.example", spf: "mail.strict.example", dkim: ["mail.strict.example"], want: "fail reject" },
  { from: "strict.example", dkim: ["strict.example"], want: "pass none" },
  { from: "soft.example", want: "fail quarantine" },
  { from: "watch.example", want: "fail none" },
  { from: "a.b.c.bank.example", want: "fail reject" },
  { from: "there.sub.example", want: "fail none" },
  { from: "gone.sub.example", want: "fail quarantine" },
  { from: "sub.example", want: "fail reject" },
  { from: "testing.example", want: "fail quarantine" },
  { from: "nothing.example", want: "none none" },
  { from: "nothing.example", spf: "nothing.example", want: "none none" },
  { from: "silent.example", want: "temperror none" },
  { from: "two.example", want: "none none" },
  { from: "words.example", want: "fail reject" },
  { from: "badv.example", want: "none none" },
  { from: "late.example", want: "none none" },
  { from: "nopolicy.example", want: "fail none" },
  { from: "badpolicy.example", want: "none none" },
  { from: "doubled.example", want: "none none" },
  { from: "shop.psd.example", spf: "psd.example", want: "fail reject" },
  { from: "shop.psd.example", dkim: ["other.psd.example"], want: "fail reject" },
  { from: "b\u00fccher.example", dkim: ["xn--bcher-kva.example"], want: "pass none" },
  { from: "[192.0.2.1]", want: "none none" },
  { from: ["bank.example", "bank.example"], spf: "bank.example", want: "pass none" },
  { from: ["evil.example", "bank.example"], spf: "evil.example", want: "permerror reject" },
  { from: ["watch.example", "soft.example"], want: "permerror quarantine" },
  { from: ["nothing.example", "evil.example"], want: "permerror none" },
];

function input({ from, spf, dkim = [] }: Omit<Row, "want">, more: Partial<DmarcInput> = {}): DmarcInput {
  return {
    headerFrom: [from].flat().map((domain) => `amy@${domain}`),
    fromFields: 1,
    hasAuthor: true,
    spf: { passed: spf === undefined ? [] : [spf], unknown: [] },
    dkim: { passed: dkim, unknown: [] },
    ...more,
  };
}

function check(wanted: DmarcInput) {
  const { resolve, asked } = resolverOf(zone);
  const lookups = new Lookups({ resolve, most: 100, signal: new AbortController().signal });
  return { found: checkDmarc(wanted, lookups), asked };
}

describe("checkDmarc()", () => {
  for (const { want, ...row } of rows) {
    it(`says ${want} of ${JSON.stringify(row)}`, async () => {
      const { result, policy } = await check(input(row)).found;
      assertEquals(`${result} ${policy}`, want);
    });
  }

  it("says permerror and reject where there are two From fields, whatever passed, as the stricter domain wants", async () => {
    const { result, policy } = await check(input({ from: "bank.example", spf: "bank.example" }, { fromFields: 2 }))
      .found;
    assertEquals([result, policy], ["permerror", "reject"]);
  });

  it("wants an author that cannot be read refused, but not a message without one", async () => {
    for (const [hasAuthor, want] of [[true, "reject"], [false, "none"]] as const) {
      const { result, policy } = await check(input({ from: [] }, { hasAuthor })).found;
      assertEquals([result, policy], ["permerror", want]);
    }
  });

  it("wants an address with two domains refused as the stricter one wants", async () => {
    const { result, policy } = await check({ ...input({ from: [] }), headerFrom: ["a@evil.example@bank.example"] })
      .found;
    assertEquals([result, policy], ["permerror", "reject"]);
  });

  it("leaves it open where the DNS kept an aligned identity from being checked", async () => {
    for (
      const more of [{ spf: { passed: [], unknown: ["bank.example"] } }, {
        dkim: { passed: [], unknown: ["m.bank.example"] },
      }]
    ) {
      assertEquals((await check(input({ from: "bank.example" }, more)).found).result, "temperror");
    }
    const stranger = { spf: { passed: [], unknown: ["evil.example"] } };
    assertEquals((await check(input({ from: "bank.example" }, stranger)).found).result, "fail");
  });

  it("tells what was aligned and the record that was found, for the report", async () => {
    const { spfAligned, dkimAligned, published, wantsReports } = await check(
      input({ from: "m.bank.example", dkim: ["bank.example"], spf: "evil.example" }),
    ).found;
    assertEquals([spfAligned, dkimAligned, wantsReports], [false, true, true]);
    assertEquals(published, { domain: "bank.example", p: "reject", discovery: "treewalk" });
    assertEquals((await check(input({ from: "sub.example" })).found).published, {
      domain: "sub.example",
      p: "reject",
      sp: "none",
      np: "quarantine",
      discovery: "treewalk",
    });
  });

  it("asks at the most eight times for a long name, and never more than thirty times for a message", async () => {
    const long = `${"a.".repeat(100)}bank.example`;
    const { found, asked } = check(input({ from: long }));
    assertEquals((await found).result, "fail");
    assert(asked.length <= 8, `${asked.length} questions`);
    const dkim = Array.from({ length: 100 }, (_, n) => `${"x.".repeat(n)}d${n}.bank.example`);
    const many = check(input({ from: "m.bank.example", dkim }));
    await many.found;
    assert(many.asked.length <= 30, `${many.asked.length} questions`);
  });
});
