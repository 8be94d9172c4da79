import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Lookups } from "../../../components/lib/mailauth/lookups.ts";
import { checkSpf } from "../../../components/lib/mailauth/spf.ts";
import { lookupsIn, resolverOf, type Zone } from "./zone.ts";

const zone: Zone = {
  "plain.example TXT": ["v=spf1 ip4:192.0.2.0/24 -all"],
  "soft.example TXT": ["v=spf1 ip4:198.51.100.0/24 ~all"],
  "neutral.example TXT": ["v=spf1 ?all"],
  "other.example TXT": ["some words", "v=spf10 +all"],
  "two.example TXT": ["v=spf1 -all", "v=spf1 +all"],
  "a.example TXT": ["v=spf1 a -all"],
  "a.example A": ["192.0.2.1"],
  "six.example TXT": ["v=spf1 a ip6:2001:db8::/32 -all"],
  "six.example AAAA": ["2001:db9::1"],
  "mx.example TXT": ["v=spf1 mx -all"],
  "mx.example MX": ["20 b.mx.example", "10 a.mx.example"],
  "a.mx.example A": ["198.51.100.9"],
  "b.mx.example A": ["192.0.2.1"],
  "manymx.example TXT": ["v=spf1 mx -all"],
  "manymx.example MX": Array.from({ length: 11 }, (_, n) => `10 h${n % 10}.example`),
  "manyptr.example TXT": ["v=spf1 ptr -all"],
  "9.2.0.192.in-addr.arpa PTR": [
    ...Array.from({ length: 10 }, (_, n) => `h${n}.example`),
    "host.manyptr.example",
  ],
  "host.manyptr.example A": ["192.0.2.9"],
  "nullmx.example TXT": ["v=spf1 mx -all"],
  "nullmx.example MX": ["0 "],
  "ptr.example TXT": ["v=spf1 ptr -all"],
  "1.2.0.192.in-addr.arpa PTR": ["host.ptr.example"],
  "host.ptr.example A": ["192.0.2.1"],
  "include.example TXT": ["v=spf1 include:plain.example -all"],
  "redirect.example TXT": ["v=spf1 redirect=plain.example"],
  "nowhere.example TXT": ["v=spf1 include:gone.example -all"],
  "macro.example TXT": ["v=spf1 exists:%{ir}.%{l}.%{d2}._x.macro.example -all"],
  "1.2.0.192.amy.macro.example._x.macro.example A": ["127.0.0.2"],
  "blank.example TXT": ["v=spf1 exists:a%_b.blank.example -all"],
  "a b.blank.example A": ["127.0.0.2"],
  "silent.example TXT": "silent",
  "inner.example TXT": ["v=spf1 include:silent.example -all"],
  "broken.example TXT": ["v=spf1 ip4:192.0.2.300 -all"],
  "unknown.example TXT": ["v=spf1 mechanism:x -all"],
  "loop.example TXT": ["v=spf1 include:loop.example -all"],
  "voids.example TXT": ["v=spf1 a:v1.example a:v2.example a:v3.example +all"],
  "eleven.example TXT": [`v=spf1 ${Array.from({ length: 11 }, (_, n) => `a:h${n}.example`).join(" ")} +all`],
  ...Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`h${n}.example A`, ["198.51.100.1"]])),
  "long.example TXT": [`v=spf1 ${"ip4:192.0.2.1 ".repeat(700)}-all`],
  "wideterm.example TXT": [`v=spf1 a:a.${"a1".repeat(30_000)}! +all`],
  "manystrings.example TXT": [`v=spf1 ${"ip4:198.51.100.1 ".repeat(150)}ip4:192.0.2.1 -all`],
  "deep.example TXT": ["v=spf1 include:wideterm.example +all"],
  "octets.example TXT": ["v=spf1 a:\u0080x -all"],
};

interface Row {
  readonly sender: string;
  readonly want: string;
  readonly ip?: string;
  readonly helo?: string;
}

const rows: readonly Row[] = [
  { sender: "amy@plain.example", want: "pass" },
  { sender: "amy@PLAIN.example", want: "pass" },
  { sender: "amy@plain.example", ip: "198.51.100.1", want: "fail" },
  { sender: "amy@plain.example", ip: "::ffff:192.0.2.1", want: "pass" },
  { sender: "amy@plain.example", ip: "2001:db8::1", want: "fail" },
  { sender: "amy@soft.example", want: "softfail" },
  { sender: "amy@neutral.example", want: "neutral" },
  { sender: "amy@other.example", want: "none" },
  { sender: "amy@gone.example", want: "none" },
  { sender: "amy@localhost", want: "none" },
  { sender: "amy@[192.0.2.1]", want: "none" },
  { sender: "amy@a..example", want: "none" },
  { sender: "amy", want: "none" },
  { sender: '"a@b"@plain.example', want: "pass" },
  { sender: "amy@two.example", want: "permerror" },
  { sender: "amy@a.example", want: "pass" },
  { sender: "amy@six.example", ip: "2001:db8::7", want: "pass" },
  { sender: "amy@six.example", ip: "2001:db9::1", want: "pass" },
  { sender: "amy@six.example", ip: "2001:db9::2", want: "fail" },
  { sender: "amy@mx.example", want: "pass" },
  { sender: "amy@nullmx.example", want: "fail" },
  { sender: "amy@ptr.example", want: "pass" },
  { sender: "amy@ptr.example", ip: "192.0.2.2", want: "fail" },
  // RFC 7208 §4.6.4: more than ten exchanges are an error, more than ten names are not looked at.
  { sender: "amy@manymx.example", want: "permerror" },
  { sender: "amy@manyptr.example", ip: "192.0.2.9", want: "fail" },
  { sender: "amy@include.example", want: "pass" },
  { sender: "amy@redirect.example", ip: "198.51.100.1", want: "fail" },
  { sender: "amy@nowhere.example", want: "permerror" },
  { sender: "amy@macro.example", want: "pass" },
  { sender: "bob@macro.example", want: "fail" },
  { sender: "amy@blank.example", want: "pass" },
  { sender: "amy@silent.example", want: "temperror" },
  { sender: "amy@inner.example", want: "temperror" },
  { sender: "amy@broken.example", want: "permerror" },
  { sender: "amy@unknown.example", want: "permerror" },
  { sender: "amy@loop.example", want: "permerror" },
  { sender: "amy@voids.example", want: "permerror" },
  { sender: "amy@eleven.example", want: "permerror" },
  { sender: "amy@octets.example", want: "permerror" },
  { sender: "amy@long.example", want: "permerror" },
  { sender: "amy@wideterm.example", want: "permerror" },
  { sender: "amy@deep.example", want: "permerror" },
  { sender: "amy@manystrings.example", want: "pass" },
  { sender: `${"a".repeat(450)}@macro.example`, want: "fail" },
  { sender: "", helo: "plain.example", want: "pass" },
  { sender: "", helo: "[192.0.2.1]", want: "none" },
  { sender: "", helo: "", want: "none" },
];

function check(
  { sender, ip = "192.0.2.1", helo = "mail.plain.example" }: Omit<Row, "want">,
  lookups = lookupsIn(zone),
) {
  return checkSpf({ sender, ip, helo, receiver: "mx.example.net" }, lookups);
}

describe("checkSpf()", () => {
  for (const { want, ...input } of rows) {
    it(`says ${want} of ${JSON.stringify(input)}`, async () => {
      assertEquals((await check(input)).result, want);
    });
  }

  it("names the domain, and the address only where the record asks for its local part", async () => {
    assertEquals((await check({ sender: "amy@plain.example" })).value, "plain.example");
    assertEquals((await check({ sender: "amy@macro.example" })).value, "amy@macro.example");
    assertEquals((await check({ sender: "", helo: "plain.example" })).identity, "helo");
  });

  it("writes Received-SPF in whole lines, whatever the sender is", async () => {
    const { receivedSpf } = await check({ sender: 'a"\r\nX: y@plain.example' });
    assertMatch(receivedSpf, /^Received-SPF: [^\n]*(\n[ \t][^\n]*)*\n$/);
    assert(!receivedSpf.includes("\r"));
  });

  it("takes an internationalized domain's octets for its A-label (RFC 8616)", async () => {
    const lookups = lookupsIn({ "xn--bcher-kva.example TXT": ["v=spf1 ip4:192.0.2.1 -all"] });
    const { result, domain } = await check({ sender: "amy@b\u00c3\u00bccher.example" }, lookups);
    assertEquals([result, domain], ["pass", "xn--bcher-kva.example"]);
  });

  it("asks no more than its share, and the record is in error then (RFC 7208 §4.6.4)", async () => {
    const wide: Record<string, readonly string[]> = {
      "wide.example TXT": [`v=spf1 ${Array.from({ length: 9 }, (_, n) => `mx:m${n}.example`).join(" ")} -all`],
    };
    for (let n = 0; n < 9; n++) {
      wide[`m${n}.example MX`] = Array.from({ length: 10 }, (_, host) => `1 m${n}h${host}.example`);
    }
    const { resolve, asked } = resolverOf(wide);
    const lookups = new Lookups({ resolve, most: 100, signal: new AbortController().signal });
    assertEquals((await check({ sender: "amy@wide.example" }, lookups)).result, "permerror");
    assert(asked.length <= 40, `${asked.length} questions`);
  });

  it("asks each question once for a message", async () => {
    const { resolve, asked } = resolverOf(zone);
    const lookups = new Lookups({ resolve, most: 100, signal: new AbortController().signal });
    await check({ sender: "amy@plain.example" }, lookups);
    await check({ sender: "bob@plain.example" }, lookups);
    assertEquals(asked, ["plain.example TXT"]);
  });

  it("answers a result whatever sender, name and record are", async () => {
    const text = fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
      maxLength: 40,
    });
    const record = fc.array(
      fc.oneof(
        text,
        fc.constantFrom(
          "a",
          "mx",
          "ptr",
          "-all",
          "+all",
          "include:x.example",
          "exists:%{l}.x.example",
          "redirect=%{d}",
          "ip4:0.0.0.0/0",
          "exp=%{p}",
        ),
      ),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(text, text, record, async (localPart, helo, terms) => {
        const lookups = lookupsIn({ "x.example TXT": [`v=spf1 ${terms.join(" ")}`] });
        const { result } = await check({ sender: `${localPart}@x.example`, helo }, lookups);
        assert(["none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"].includes(result));
      }),
      { numRuns: 200 },
    );
  });
});
