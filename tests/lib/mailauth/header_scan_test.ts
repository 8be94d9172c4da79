import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  headerLength,
  longestHeader,
  longestSignatures,
  mostHeaderLines,
  scanHeader,
} from "../../../components/lib/mailauth/header_scan.ts";
import { toOctets } from "../../../components/lib/octets.ts";

const scan = (text: string) => scanHeader(toOctets(text));

describe("scanHeader()", () => {
  const rows = [
    { input: "From: amy@example.org\n\n", fromFields: 1, hasAuthor: true },
    { input: "From: amy\n\n", fromFields: 1, hasAuthor: false },
    { input: "From:\n amy@example.org\n\n", fromFields: 1, hasAuthor: true },
    { input: "FROM : amy@example.org\n\n", fromFields: 1, hasAuthor: true },
    { input: "From\0: a@b\nFrom: a@b\n\n", fromFields: 2, hasAuthor: true },
    { input: "From\u00a0: a@b\nFrom: a@b\n\n", fromFields: 2, hasAuthor: true },
    { input: "From\n : a@b\n\n", fromFields: 1, hasAuthor: true },
    { input: "From amy@example.org Mon\nTo: b\n\n", fromFields: 0, hasAuthor: false },
    { input: "Fromage: a@b\n\n", fromFields: 0, hasAuthor: false },
    { input: "To: b\n\nFrom: a@b\n", fromFields: 0, hasAuthor: false },
    { input: "", fromFields: 0, hasAuthor: false },
  ];
  for (const { input, ...want } of rows) {
    it(`finds ${want.fromFields} in ${JSON.stringify(input)}`, () => {
      assertEquals(scan(input), { isCheckable: true, ...want });
    });
  }

  it("has a header too large, of too many lines, or with a huge From or Content-Type not checked", () => {
    for (
      const input of [
        `X: ${"y".repeat(longestHeader)}\n\n`,
        "X: y\n".repeat(mostHeaderLines) + "\n",
        "X: y\n" + " z\n".repeat(mostHeaderLines) + "\n",
        `From: ${"a,".repeat(3000)}\n\n`,
        `From:${"\n a,".repeat(2000)}\n\n`,
        `Content-Type: text/plain${";a=b".repeat(2000)}\n\n`,
        "X".repeat(longestHeader + 1),
        `A: ${"\r".repeat(33)}\nB: c\n\n`,
        `A${" ".repeat(1024)}b: c\n\n`,
        "From: a@b,\n".repeat(500) + "\n",
        `Content-Type: text/plain${";a=b".repeat(500)}\n`.repeat(3) + "\n",
      ]
    ) {
      assertEquals(scan(input).isCheckable, false, input.slice(0, 20));
    }
  });

  const run = ` ${"x".padStart(65)}`;
  const slow: readonly (readonly [claim: string, fields: string])[] = [
    ["a run of 65 blanks", `DKIM-Signature: zz=${" ".repeat(65)}x\n`],
    ["a run of 65 blanks and line ends", `ARC-Seal\n :${"\n ".repeat(33)}x\n`],
    ["many runs of 128 blanks", `DKIM-Signature: ${`x${" ".repeat(128)}`.repeat(1800)}\n`],
    ["many runs of 64 blanks, and more than 64 KiB", `DKIM-Signature: ${`x${" ".repeat(64)}`.repeat(1100)}\n`],
    ["a run in a line that is no field", `ARC-Message-Signature: i=1;\nand${run}\n`],
    ["more than 64 KiB together", `DKIM-Signature: a=${"b".repeat(8000)}\n`.repeat(9)],
    [
      "more than 64 KiB in lines that are no fields",
      `DKIM-Signature: a=b\n${"c\n".repeat(3000)}${"d".repeat(61_000)}\n`,
    ],
    ["more than 250 fields", "DKIM-Signature: a=b\n".repeat(251)],
    ["more than 4000 tags", `DKIM-Signature: ${"a;".repeat(4000)}\n`],
    ["more than 64 KiB of nothing", `ARC-Authentication-Results:${";".repeat(longestSignatures)}\n`],
  ];
  for (const [claim, fields] of slow) {
    it(`has signatures not checked that would cost the most: ${claim}`, () => {
      assertEquals(scan(`A: b\n${fields}From: a@b\n\n`).isCheckable, false);
      assertEquals(scan(`${fields}From: a@b\n\n`).isCheckable, false);
      // Blanks in front of the first line's name do not count.
      assertEquals(scan(` ${fields}From: a@b\n\n`).isCheckable, false);
    });
  }

  it("does not mind the longest chains that hosts make", () => {
    const set = ["ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results"].map((name) =>
      `${name}: i=1;\n\ta=${"b ".repeat(500)};\n`
    );
    assertEquals(scan(`${set.join("").repeat(15)}From: a@b\n\n`).isCheckable, true);
  });

  it("does not mind blanks in other fields", () => {
    assertEquals(
      scan(`A: b\nSubject: a${" ".repeat(5000)}b\nDKIM-Signature: a=b;${" ".repeat(64)}c=d\n\n`).isCheckable,
      true,
    );
  });

  it("does not mind a large body", () => {
    assertEquals(scan(`From: a@b\n\n${"x\n".repeat(1_000_000)}`).isCheckable, true);
  });
});

describe("headerLength()", () => {
  for (
    const [input, want] of [["", 0], ["\n", 1], ["a\n", 2], ["a\n\n", 3], ["a\n\nb\n\n", 3], [
      "a\n\r\nb\n\n",
      7,
    ]] as const
  ) {
    it(`is ${want} for ${JSON.stringify(input)}`, () => {
      assertEquals(headerLength(toOctets(input)), want);
    });
  }
});
