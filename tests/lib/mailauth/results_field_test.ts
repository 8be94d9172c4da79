import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import {
  formatResultsField,
  type MethodResult,
  readAuthservId,
  withoutForgedResults,
} from "../../../components/lib/mailauth/results_field.ts";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";

const id = "mx.example.org";

function spf(value: string): MethodResult {
  return { method: "spf", result: "pass", properties: [["smtp.mailfrom", value]] };
}

describe("formatResultsField()", () => {
  it("says none where nothing was checked", () => {
    assertEquals(formatResultsField(id, []), "Authentication-Results: mx.example.org; none\n");
  });

  it("has a line for each result, folded where it is long", () => {
    const dkim: MethodResult = {
      method: "dkim",
      result: "fail",
      comment: "body hash did not verify",
      properties: [["header.d", "news.example.com"], ["header.s", "selector2026"], ["header.b", "ab/cd+=="]],
    };
    assertEquals(
      formatResultsField(id, [spf("example.com"), dkim]),
      "Authentication-Results: mx.example.org;\n" +
        "\tspf=pass smtp.mailfrom=example.com;\n" +
        "\tdkim=fail (body hash did not verify) header.d=news.example.com\n" +
        '\theader.s=selector2026 header.b="ab/cd+=="\n',
    );
  });

  const values = [
    ["example.com", "example.com"],
    ["amy@example.com", "amy@example.com"],
    ["a/b@example.com", "a/b@example.com"],
    ["@example.com", "@example.com"],
    ["a b@example.com", '"a b"@example.com'],
    ['a"; dkim=pass x@example.com', '"a\\"; dkim=pass x"@example.com'],
    ["[192.0.2.1]", '"[192.0.2.1]"'],
    ["x; dkim=pass", '"x; dkim=pass"'],
    ["x\r\nX: y", '"x X: y"'],
    ["b\u00fccher.example", '"b\u00c3\u00bccher.example"'],
  ] as const;
  for (const [value, want] of values) {
    it(`writes ${JSON.stringify(value)} as ${want}`, () => {
      assertEquals(
        formatResultsField(id, [spf(value)]),
        `Authentication-Results: ${id};\n\tspf=pass smtp.mailfrom=${want}\n`,
      );
    });
  }

  it("leaves out what is empty or too long", () => {
    assertEquals(formatResultsField(id, [spf("")]), `Authentication-Results: ${id};\n\tspf=pass\n`);
    assertEquals(formatResultsField(id, [spf("a".repeat(257))]), `Authentication-Results: ${id};\n\tspf=pass\n`);
  });

  it("is one field with lines of octets, whatever others chose, and its results are those that were given", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (comment, value) => {
      const field = formatResultsField(id, [{ ...spf(value), comment }]);
      assertMatch(field, /^Authentication-Results: [^\n\r]*\n(\t[^\n\r]+\n)+$/);
      assert(Array.from(field, (char) => char.charCodeAt(0)).every((code) => code < 256));
      assert(field.split("\n").every((line) => line.length < 998));
      const bare = field.replace(/"([^"\\]|\\.)*"/gs, "").replace(/\([^()]*\)/g, "");
      assertEquals(bare.split(";").length, 2);
    }));
  });
});

describe("readAuthservId()", () => {
  const rows = [
    [" mx.example.org; none", "mx.example.org"],
    ["mx.example.org 1; none", "mx.example.org"],
    [" (a (nested) \\) comment) mx.example.org(x); none", "mx.example.org"],
    ['\n\t"mx.example.org" ; none', "mx.example.org"],
    ['"mx\\.example.org"; none', "mx.example.org"],
    ["", undefined],
    [" (never ends; mx.example.org", undefined],
    ['"never ends', undefined],
    ["; none", undefined],
  ] as const;
  for (const [input, want] of rows) {
    it(`reads ${want ?? "nothing"} in ${JSON.stringify(input)}`, () => {
      assertEquals(readAuthservId(input), want);
    });
  }
});

describe("withoutForgedResults()", () => {
  const clean = (text: string) => {
    const octets = withoutForgedResults(toOctets(text), id);
    return octets === undefined ? undefined : fromOctets(octets);
  };
  const rest = "From: amy@example.com\n\nHello\n";

  const forged = [
    "Authentication-Results: mx.example.org; dkim=pass\n",
    "authentication-results: MX.Example.ORG; dkim=pass\n",
    "Authentication-Results : mx.example.org; dkim=pass\n",
    "Authentication-Results:\n mx.example.org;\n\tdkim=pass\n",
    "Authentication-Results\n : mx.example.org; dkim=pass\n",
    "Authentication-Results: mx.example.org. 1; dkim=pass\n",
    'Authentication-Results: (hm) "mx.example.org"; dkim=pass\n',
    "Authentication-Results: (mx.example.org; dkim=pass\n",
    "Authentication-Results\0: mx.example.org; dkim=pass\n",
    "X: y\rAuthentication-Results: mx.example.org; dkim=pass\n",
    "Authentication-Results: mx.example.org; dkim=pass\r\n",
  ];
  for (const field of forged) {
    it(`takes ${JSON.stringify(field)} out`, () => {
      assertEquals(clean(field + rest), rest);
      assertEquals(clean(`A: b\n${field}C: d\n${field}${rest}`), `A: b\nC: d\n${rest}`);
    });
  }

  const honest = [
    "Authentication-Results: mx.example.com; dkim=pass\n",
    "Authentication-Results: notmx.example.org; dkim=pass\n",
    "Authentication-Results: mx.example.org.evil.example; dkim=pass\n",
    "ARC-Authentication-Results: i=1; mx.example.org; dkim=pass\n",
    "X-Authentication-Results: mx.example.org; dkim=pass\n",
    "Subject: Authentication-Results: mx.example.org; dkim=pass\n",
  ];
  for (const field of honest) {
    it(`leaves ${JSON.stringify(field)}`, () => {
      assertEquals(clean(field + rest), undefined);
    });
  }

  it("leaves the body, and a message that begins with it", () => {
    assertEquals(clean(`${rest}\n${forged[0]}`), undefined);
    assertEquals(clean(`\n${forged[0]}`), undefined);
  });

  it("takes a field out of a header that never ends", () => {
    assertEquals(clean("Authentication-Results: mx.example.org; dkim=pass"), "");
  });

  it("changes nothing but what it takes out, for any octets", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "Authentication-Results:",
        "mx.example.org",
        ";",
        "\n",
        "\r",
        " ",
        "(",
        ")",
        '"',
        "\\",
        "A: b\n",
        "\n\n",
      ),
      fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const text = pieces.join("");
        const cleaned = clean(text) ?? text;
        // What is left is what was there, in its order.
        let at = 0;
        for (const char of cleaned) at = text.indexOf(char, at) + 1 || Infinity;
        assert(at <= text.length);
        // And nothing of it is forged any more.
        assertEquals(clean(cleaned), undefined);
      }),
      { numRuns: 500 },
    );
  });
});
