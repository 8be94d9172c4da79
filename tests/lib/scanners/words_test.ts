import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { isSameAddress, parseAnyPath, pathOf } from "../../../components/lib/scanners/paths.ts";
import { refusal } from "../../../components/lib/scanners/refusal.ts";

const octets = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });

describe("refusal()", () => {
  it("has qmail-queue's code and form", () => {
    assertEquals(refusal("permanent", "no", "5.7.1"), { kind: "refuse", code: 31, text: "Dno (#5.7.1)" });
    assertEquals(refusal("temporary", "later", "4.7.1"), { kind: "refuse", code: 71, text: "Zlater (#4.7.1)" });
    assertEquals(refusal("permanent", "\r\n\0", "5.7.1").text, "Drefused (#5.7.1)");
  });

  it("is one line of printable ASCII with at most 255 octets, whatever a scanner says", () => {
    fc.assert(fc.property(octets, fc.integer({ min: 1, max: 500 }), (text, times) => {
      assertMatch(refusal("permanent", text.repeat(times), "5.7.1").text, /^D[\x20-\x7e]{1,245} \(#5\.7\.1\)$/);
    }));
  });
});

const rows: readonly { readonly address: string; readonly path: string; readonly back?: false }[] = [
  { address: "joe@example.org", path: "<joe@example.org>" },
  { address: "", path: "<>" },
  { address: "a b@example.org", path: '<"a b"@example.org>' },
  { address: 'a"b@example.org', path: '<"a\\"b"@example.org>' },
  { address: "a>b@example.org", path: '<"a>b"@example.org>' },
  { address: "j\xc3\xa9@example.org", path: "<j\xc3\xa9@example.org>" },
  { address: "postmaster", path: "<postmaster>", back: false },
  { address: "list-@example.org-@[]", path: "<list-@example.org-@[]>", back: false },
  { address: "#@[]", path: "<#@[]>", back: false },
  { address: "a\nb", path: "<a_b>", back: false },
];

describe("pathOf()", () => {
  for (const { address, path, back } of rows) {
    it(`shows ${JSON.stringify(address)} as ${JSON.stringify(path)}${back === false ? "" : " and understands it again"}`, () => {
      assertEquals(pathOf(address), path);
      if (back !== false) assertEquals(parseAnyPath(path, "reverse"), address);
    });
  }

  it("shows no octet that could end what it stands in", () => {
    // deno-lint-ignore no-control-regex
    fc.assert(fc.property(octets, (address) => assertMatch(pathOf(address), /^<[^\x00-\x1f\x7f]*>$/)));
  });
});

describe("parseAnyPath()", () => {
  const given: readonly (readonly [string, "reverse" | "forward", string | undefined])[] = [
    ["joe@example.org", "forward", "joe@example.org"],
    ["<joe@Example.ORG>", "forward", "joe@example.org"],
    ["<>", "reverse", ""],
    ["", "reverse", ""],
    ["<>", "forward", undefined],
    ["", "forward", undefined],
    ["postmaster", "forward", "postmaster"],
    ["joe", "forward", undefined],
    ["<joe@example.org> <amy@example.org>", "forward", undefined],
    ["<joe@example.org> SIZE=1", "forward", undefined],
    ["joe@example.org\nRCPT TO:<amy@example.org>", "forward", undefined],
    [`${"x".repeat(2000)}@example.org`, "forward", undefined],
  ];
  for (const [text, direction, want] of given) {
    it(`${want === undefined ? "refuses" : "takes"} ${JSON.stringify(text).slice(0, 60)} as a ${direction} path`, () => {
      assertEquals(parseAnyPath(text, direction), want);
    });
  }

  it("knows one address in two spellings of its domain, and two by their local parts", () => {
    assertEquals(isSameAddress("joe@Example.org", "joe@example.org"), true);
    assertEquals(isSameAddress("Joe@example.org", "joe@example.org"), false);
    assertEquals(isSameAddress("joe", "joe"), true);
  });
});
