import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { parsePem } from "../../../components/lib/tls/pem.ts";

const block = (label: string, inside = "AAAA") => `-----BEGIN ${label}-----\n${inside}\n-----END ${label}-----\n`;

describe("parsePem()", () => {
  const table: readonly { name: string; text: string; want: string[] | string }[] = [
    { name: "an empty file as no block", text: "", want: [] },
    { name: "two blocks in their order", text: block("A") + block("B"), want: ["A", "B"] },
    { name: "explanations around a block as nothing", text: `Bag Attributes\n${block("A")}subject=x\n`, want: ["A"] },
    { name: "lines that end in CRLF", text: block("A").replaceAll("\n", "\r\n"), want: ["A"] },
    { name: "a last line without an end", text: block("A").trimEnd(), want: ["A"] },
    {
      name: "no block that does not end",
      text: "-----BEGIN A-----\nAAAA\n",
      want: "expected the end of a A block, got the end of the file",
    },
    {
      name: "no block that begins in another one",
      text: "-----BEGIN A-----\n" + block("B"),
      want: "expected the end of a A block, got another beginning",
    },
  ];
  for (const { name, text, want } of table) {
    it(`reads ${name}`, () => {
      const read = parsePem(text);
      assertEquals(read.ok ? read.value.map(({ label }) => label) : read.error, want);
    });
  }

  it("throws at no text", () => {
    fc.assert(fc.property(fc.string(), (text) => void parsePem(`-----BEGIN ${text}`)));
  });
});
