import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parsePolicyText, policyStrings, stsModes } from "../../../components/lib/sts/policy_text.ts";

const good = { mode: "enforce", mx: ["mx.example.org"], maxAgeSeconds: 604_800 };

describe("parsePolicyText() (RFC 8461 §3.2)", () => {
  const text = (...lines: readonly string[]) => lines.join("\n");
  const rows: readonly { readonly text: string; readonly want: object | undefined }[] = [
    { text: "version: STSv1\nmode: enforce\nmx: mx.example.org\nmax_age: 604800\n", want: good },
    { text: "version: STSv1\r\nmode: enforce\r\nmx: mx.example.org\r\nmax_age: 604800\r\n", want: good },
    { text: "version: STSv1\r\nmode: enforce\nmx: mx.example.org\r\nmax_age: 604800", want: good },
    { text: "max_age:604800\nmx :\tMX.Example.ORG  \nmode: enforce\nversion:STSv1\n\n \r\n", want: good },
    {
      text: "version: STSv1\nmode: testing\nmx: *.example.org\nmx: a.example\nmax_age: 1",
      want: { mode: "testing", mx: ["*.example.org", "a.example"], maxAgeSeconds: 1 },
    },
    { text: "version: STSv1\nmode: none\nmax_age: 86400", want: { mode: "none", mx: [], maxAgeSeconds: 86_400 } },
    { text: text(...policyStrings({ ...good, mode: "enforce" }), "mode: none", "max_age: 1"), want: good },
    {
      text: text(...policyStrings({ ...good, mode: "enforce" }), "x-new: a: b, \xc3\xa9", "version: STSv2"),
      want: good,
    },
    {
      text: "version: STSv1\nmode: enforce\nmx: mx.example.org\nmax_age: 9999999999",
      want: { ...good, maxAgeSeconds: 31_557_600 },
    },
    { text: "version: STSv1\nmode: enforce\nmx: mx.example.org\nmax_age: 99999999999", want: undefined },
    { text: "version: STSv1\nmode: enforce\nmx: mx.example.org\nmax_age: -1", want: undefined },
    { text: "version: STSv1\nmode: enforce\nmx: mx.example.org\nmax_age: 1d", want: undefined },
    { text: "version: STSv1\nmode: enforce\nmx: mx.example.org", want: undefined },
    { text: "version: STSv1\nmode: enforce\nmax_age: 604800", want: undefined },
    { text: "version: STSv1\nmode: Enforce\nmx: mx.example.org\nmax_age: 604800", want: undefined },
    { text: "version: STSv2\nversion: STSv1\nmode: none\nmax_age: 604800", want: undefined },
    { text: "version: stsv1\nmode: none\nmax_age: 604800", want: undefined },
    { text: "mode: none\nmax_age: 604800", want: undefined },
    { text: "version: STSv1\nmode: none\nmax_age: 604800\nno field", want: undefined },
    { text: "version: STSv1\nmode: none\nmax_age: 604800\nx: a\0b", want: undefined },
    { text: "version: STSv1\rmode: none\rmax_age: 604800", want: undefined },
    { text: "\ufeffversion: STSv1\nmode: none\nmax_age: 604800", want: undefined },
    { text: "<html>", want: undefined },
    { text: "", want: undefined },
    ...[
      "mx.*.example",
      "*mx.example",
      "*.",
      "*",
      "**.example",
      "mx..example",
      "mx.example.",
      "[192.0.2.1]",
      "\xe9.example",
    ]
      .map((mx) => ({ text: `version: STSv1\nmode: enforce\nmx: ${mx}\nmax_age: 604800`, want: undefined })),
    {
      text: `version: STSv1\nmode: enforce\nmax_age: 604800\n${"mx: a.example\n".repeat(101)}`,
      want: undefined,
    },
    { text: `version: STSv1\nmode: none\nmax_age: 604800\n${"\n".repeat(65_536)}`, want: undefined },
    { text: `version: STSv1\nmode: none\nmax_age: 604800\n${" ".repeat(65_000)}x`, want: undefined },
  ];
  for (const { text, want } of rows) {
    it(`takes ${JSON.stringify(text).slice(0, 110)} for ${want === undefined ? "no policy" : "one"}`, () => {
      const parsed = parsePolicyText(text);
      assertEquals(parsed.ok ? parsed.value : undefined, want);
    });
  }

  it("reads back what policyStrings() wrote", () => {
    const label = fc.stringMatching(/^[a-z0-9_-]{1,20}$/);
    const mx = fc.tuple(fc.boolean(), label, label).map(([wild, a, b]) => `${wild ? "*." : ""}${a}.${b}`);
    const policy = fc.record({
      mode: fc.constantFrom(...stsModes),
      mx: fc.array(mx, { minLength: 1, maxLength: 20 }),
      maxAgeSeconds: fc.nat(31_557_600),
    }, { noNullPrototype: true });
    fc.assert(fc.property(policy, fc.constantFrom("\n", "\r\n"), (policy, end) => {
      assertEquals(parsePolicyText(policyStrings(policy).join(end)), { ok: true, value: policy });
    }));
  });

  it("throws at no octets", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
      assert(typeof parsePolicyText(text).ok === "boolean");
    }));
  });
});
