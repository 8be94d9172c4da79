import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parsePatternList, type PatternList } from "../../../components/lib/policy/pattern_list.ts";
import { matchesWildmat, parseWildmat } from "../../../components/lib/policy/wildmat.ts";

function listOf(...lines: string[]): PatternList {
  const parsed = parsePatternList(lines.join("\n"));
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

describe("PatternList", () => {
  const rows: { lines: string[]; text: string; want: boolean; trusted?: boolean }[] = [
    { lines: ["amy@example.org"], text: "AMY@Example.ORG", want: true },
    { lines: ["Amy@Example.org"], text: "amy@example.org", want: true },
    { lines: ["amy@example.org"], text: "bamy@example.org", want: false },
    { lines: ["@example.org"], text: "anyone@example.org", want: true },
    { lines: ["@example.org"], text: "a@example.org@evil.example", want: false },
    { lines: ["@example.org"], text: "a@evil.example@example.org", want: true },
    { lines: ["@example.org"], text: "a@sub.example.org", want: false },
    { lines: ["@example.org"], text: "", want: false },
    { lines: ["*@*.example.org"], text: "a@sub.example.org", want: true },
    { lines: ["@*.example.org"], text: "a@sub.example.org", want: true },
    { lines: ["*.example.org"], text: "a@x.y.example.org", want: true },
    { lines: ["*.example.org"], text: "a@example.org", want: false },
    { lines: ["*.example.org"], text: "a.b@example.org", want: false },
    { lines: ["*.example.org"], text: "mx.example.org", want: true },
    { lines: ["host?.example"], text: "host1.example", want: true },
    { lines: ["host?.example"], text: "host12.example", want: false },
    { lines: ["h[0-9]*.example"], text: "h7x.example", want: true },
    { lines: ["h[^0-9]*.example"], text: "h7x.example", want: false },
    { lines: ["*@example.org", "!amy@example.org"], text: "amy@example.org", want: false },
    { lines: ["?amy@example.org", "@example.org"], text: "amy@example.org", want: false },
    { lines: ["?amy@example.org", "@example.org"], text: "joe@example.org", want: true },
    { lines: ["@example.org", "!*-list@*"], text: "a-list@example.org", want: false },
    { lines: ["@example.org+"], text: "a@example.org", want: true },
    { lines: ["@example.org+"], text: "a@example.org", trusted: true, want: false },
    { lines: ["@example.org"], text: "a@example.org", trusted: true, want: true },
    { lines: ["@example.org+", "@example.org"], text: "a@example.org", trusted: true, want: true },
    { lines: ["@__proto__"], text: "a@__proto__", want: true },
    { lines: ["@example.org"], text: "a@constructor", want: false },
    { lines: ["\u00e4@example.org"], text: "\xc3\xa4@example.org", want: true },
    { lines: [], text: "toString", want: false },
  ];
  for (const { lines, text, trusted = false, want } of rows) {
    const who = trusted ? "a trusted client's " : "";
    it(`${want ? "refuses" : "lets pass"} ${who}${JSON.stringify(text)} by ${JSON.stringify(lines)}`, () => {
      assertEquals(listOf(...lines).refuses(text, trusted), want);
    });
  }

  it("finds its way in 10,000 lines by lookup, for all of them are exact, a domain's or a suffix's", () => {
    const lines = Array.from(
      { length: 10_000 },
      (_, n) => [`u${n}@a.example`, `@d${n}.example`, `*.s${n}.example`][n % 3]!,
    );
    const list = listOf(...lines);
    for (let n = 0; n < 10_000; n++) {
      const text = [`u${n}@a.example`, `x@d${n}.example`, `x@y.s${n}.example`][n % 3]!;
      assert(list.refuses(text, false), text);
    }
    for (let n = 0; n < 10_000; n++) assert(!list.refuses(`u${n}@none.example`, false));
  });

  it("says something of any octets", () => {
    const list = listOf("*a*b*c*d*e@*.example", "@example.org", "!?[a-z]*");
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
      assertEquals(typeof list.refuses(text, false), "boolean");
    }));
  });
});

describe("matchesWildmat()", () => {
  /** The same by the definition, for short texts: exponential, but plainly right. */
  function matches(pattern: string, text: string): boolean {
    if (pattern === "") return text === "";
    if (pattern[0] === "*") return matches(pattern.slice(1), text) || (text !== "" && matches(pattern, text.slice(1)));
    return text !== "" && (pattern[0] === "?" || pattern[0] === text[0]) && matches(pattern.slice(1), text.slice(1));
  }

  it("says what the definition says", () => {
    const piece = (letters: string[]) =>
      fc.array(fc.constantFrom(...letters), { maxLength: 7 }).map((all) => all.join(""));
    fc.assert(
      fc.property(piece(["a", "b", "*", "?"]), piece(["a", "b", "c"]), (pattern, text) => {
        const parsed = parseWildmat(pattern);
        assert(parsed.ok);
        assertEquals(matchesWildmat(parsed.value, text), matches(pattern, text));
      }),
      { numRuns: 2000 },
    );
  });

  it("looks at no octet of a text more often than the pattern has parts", () => {
    const parsed = parseWildmat(`${"*a".repeat(100)}b`);
    assert(parsed.ok);
    const { parts } = parsed.value;
    for (const length of [1000, 2000, 4000]) {
      let looks = 0;
      const text = new Proxy(new String("a".repeat(length)), {
        get: (target, name) => {
          if (name === "charCodeAt") {
            looks++;
            return (at: number) => target.charCodeAt(at);
          }
          return name === "length" ? target.length : undefined;
        },
      });
      assert(!matchesWildmat(parsed.value, text as unknown as string));
      assert(looks <= length * parts.length, `${looks} looks at ${length} octets`);
    }
  });
});
