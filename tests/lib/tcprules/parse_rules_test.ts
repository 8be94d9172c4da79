import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseRules } from "../../../components/lib/tcprules/parse_rules.ts";

/** Keys and what becomes of them, a word each: `key deny NAME=value`. */
function said(text: string): readonly string[] | string {
  const rules = parseRules(text);
  if (!rules.ok) return rules.error;
  return rules.value.map(({ key, deny, variables }) =>
    [key, deny ? "deny" : "allow", ...variables.map(([name, value]) => `${name}=${value}`)].join(" ")
  );
}

const good: readonly { readonly text: string; readonly want: readonly string[] }[] = [
  { text: "", want: [] },
  { text: "# a comment\n\n  \n", want: [] },
  { text: "127.0.0.1:allow\n", want: ["127.0.0.1 allow"] },
  { text: "127.0.0.1:allow  \t\r", want: ["127.0.0.1 allow"] },
  { text: '127.:allow,RELAYCLIENT=""\n:deny', want: ["127. allow RELAYCLIENT=", " deny"] },
  { text: ':allow,A="1",B="x y,z:deny"', want: [" allow A=1 B=x y,z:deny"] },
  { text: ":allow,A=|a\"b|,B=/it's/", want: [` allow A=a"b B=it's`] },
  { text: ':deny,A="1"', want: [" deny A=1"] },
  { text: "1.2.3.37-39:allow", want: ["1.2.3.37 allow", "1.2.3.38 allow", "1.2.3.39 allow"] },
  { text: "10.2-3.:deny", want: ["10.2. deny", "10.3. deny"] },
  { text: "10-11.:deny", want: ["10. deny", "11. deny"] },
  { text: "7.7-7.7.:deny", want: ["7.7.7. deny"] },
  { text: "=Mail.Example:allow\n=.example:deny\n=:deny", want: ["=Mail.Example allow", "=.example deny", "= deny"] },
  { text: "joe@127.0.0.1:deny\njoe@=a.example:allow", want: ["joe@127.0.0.1 deny", "joe@=a.example allow"] },
  { text: "a@b@1.2.3.4:deny", want: ["a@b@1.2.3.4 deny"] },
  { text: "10.0.0.0/8:allow", want: ["10. allow"] },
  { text: "10.1.2.0/24:allow", want: ["10.1.2. allow"] },
  { text: "10.1.2.77/22:allow", want: ["10.1.0. allow", "10.1.1. allow", "10.1.2. allow", "10.1.3. allow"] },
  { text: "10.1.2.5/31:allow", want: ["10.1.2.4 allow", "10.1.2.5 allow"] },
  { text: "10.1.2.5/32:allow", want: ["10.1.2.5 allow"] },
  {
    text: '10.0.0.0/15:allow\n10.1.0.0/16:deny\n10.1.:allow,A=""',
    want: ["10.1. allow A=", "10.1. deny", "10.0. allow", "10.1. allow"],
  },
  { text: "2001:DB8::1:allow", want: ["2001:db8::1 allow"] },
  { text: "2001:db8::ff/32:deny", want: ["2001:db8::/32 deny"] },
  { text: "2001:db8:f000::/35:deny", want: ["2001:db8:e000::/35 deny"] },
  { text: "::1:deny", want: ["::1 deny"] },
  { text: "::ffff:1.2.3.4:deny", want: ["1.2.3.4 deny"] },
  { text: "::ffff:10.0.0.0/104:deny", want: ["10. deny"] },
];

const refused = [
  "127.0.0.1",
  "127.0.0.1:maybe",
  "127.0.0.1:allowed",
  "127.0.0.1: allow",
  "127.0.0:allow",
  "127.0.0.1.:allow",
  "127.0.0.256:allow",
  "1.2.3.4-300:allow",
  "1.2.3.9-4:allow",
  "1.2-3.4-5.:allow",
  "localhost:allow",
  "1.2.3.4/33:allow",
  "joe@1.2.3.0/24:allow",
  "joe@1.2.:allow",
  "joe@:allow",
  "@1.2.3.4:allow",
  "=a b:allow",
  "2001:db8:allow",
  ":allow,A",
  ":allow,A=",
  ':allow,A="1',
  ':allow,="1"',
  ':allow,A B="1"',
  ':allow;A="1"',
  ':allow,A="1"B="2"',
  `:allow,A="${"x".repeat(4097)}"`,
  ':allow,A="a\0b"',
];

describe("parseRules()", () => {
  for (const { text, want } of good) {
    it(`reads ${JSON.stringify(text)}`, () => assertEquals(said(text), want));
  }
  for (const text of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 60))}, and says what it expected`, () => {
      const answer = said(text);
      assert(typeof answer === "string" && answer.startsWith("expected "), String(answer));
    });
  }
  it("writes the whole of IPv4 out", () => {
    const rules = parseRules("0.0.0.0/0:deny");
    assert(rules.ok);
    assertEquals([rules.value.length, rules.value[0]?.key, rules.value[255]?.key], [256, "0.", "255."]);
  });
  it("answers whatever the octets are", () => {
    fc.assert(fc.property(fc.string({ unit: "binary-ascii" }), (text) => {
      const rules = parseRules(text);
      return rules.ok || rules.error.startsWith("expected ");
    }));
  });
});
