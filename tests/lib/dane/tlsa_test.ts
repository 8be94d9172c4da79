import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { formatTlsa, parseTlsa, tlsaOf } from "../../../components/lib/dane/tlsa.ts";

const sha256 = "ab".repeat(32);
const sha512 = "cd".repeat(64);

function usable(...values: readonly string[]): string[] {
  return tlsaOf(values.map((value) => ({ value }))).map(formatTlsa);
}

describe("parseTlsa()", () => {
  it("reads what the resolver writes", () => {
    assertEquals(parseTlsa(`3 1 1 ${sha256.toUpperCase()}`), { usage: 3, selector: 1, matching: 1, data: sha256 });
  });

  it("refuses everything else", () => {
    for (
      const text of [
        "",
        "3 1 1",
        "3 1 1 ",
        "3 1 1 abc",
        "3 1 1 xy",
        "3 1 1 ab cd",
        "3  1 1 ab",
        "-3 1 1 ab",
        "3 1 1 ab\n",
      ]
    ) {
      assertEquals(parseTlsa(text), undefined, text);
    }
  });

  it("is the inverse of formatTlsa(), and no text makes it throw", () => {
    const number = fc.integer({ min: 0, max: 255 });
    const data = fc.uint8Array({ minLength: 1 }).map((octets) => octets.toHex());
    fc.assert(
      fc.property(
        fc.record({ usage: number, selector: number, matching: number, data }, { noNullPrototype: true }),
        (record) => {
          assertEquals(parseTlsa(formatTlsa(record)), record);
        },
      ),
    );
    fc.assert(fc.property(fc.string(), (text) => void parseTlsa(text)));
  });
});

describe("tlsaOf()", () => {
  const table: readonly {
    readonly name: string;
    readonly records: readonly string[];
    readonly want: readonly string[];
  }[] = [
    {
      name: "keeps usages 2 and 3",
      records: [`2 0 1 ${sha256}`, `3 1 2 ${sha512}`],
      want: [`2 0 1 ${sha256}`, `3 1 2 ${sha512}`],
    },
    { name: "leaves out usages 0 and 1 (RFC 7672 §3.1.3)", records: [`0 0 1 ${sha256}`, `1 1 1 ${sha256}`], want: [] },
    { name: "leaves out unknown usages", records: [`4 0 1 ${sha256}`, `255 1 1 ${sha256}`], want: [] },
    {
      name: "leaves out unknown selectors and matching types",
      records: [`3 2 1 ${sha256}`, `3 1 3 ${sha256}`],
      want: [],
    },
    {
      name: "leaves out digests of a wrong length",
      records: [`3 1 1 ${sha512}`, `3 1 2 ${sha256}`, `3 1 1 ab`],
      want: [],
    },
    { name: "leaves out what is no record", records: ["", "3 1 1", `x 1 1 ${sha256}`], want: [] },
    {
      name: "keeps whole keys and certificates of any length",
      records: ["3 1 0 3059", "2 0 0 30"],
      want: ["2 0 0 30", "3 1 0 3059"],
    },
    {
      name: "keeps each once",
      records: [`3 1 1 ${sha256}`, `3 1 1 ${sha256.toUpperCase()}`],
      want: [`3 1 1 ${sha256}`],
    },
    {
      name: "takes the strongest digest of one usage and selector only (RFC 7671 §9)",
      records: [`3 1 1 ${sha256}`, `3 1 2 ${sha512}`, `3 0 1 ${sha256}`, `2 1 1 ${sha256}`, "3 1 0 3059"],
      want: [`2 1 1 ${sha256}`, `3 0 1 ${sha256}`, "3 1 0 3059", `3 1 2 ${sha512}`],
    },
  ];
  for (const { name, records, want } of table) it(name, () => assertEquals(usable(...records), want));
});
