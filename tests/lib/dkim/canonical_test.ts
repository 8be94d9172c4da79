import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { relaxedBodyHash, relaxedField, splitMessage, withLfLines } from "../../../components/lib/dkim/canonical.ts";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";

function hashOf(text: string): string {
  return createHash("sha256").update(toOctets(text)).digest("base64");
}

/** RFC 6376 §3.4.4 as it is written, of a body with LF lines. */
function relaxedByTheBook(body: string): string {
  const lines = body.split("\n").map((line) => line.replace(/[ \t]+/g, " ").replace(/ $/, ""));
  while (lines.at(-1) === "") lines.pop();
  return lines.map((line) => `${line}\r\n`).join("");
}

describe("relaxedBodyHash()", () => {
  const table = [
    { body: "", want: "" },
    { body: "\n\n\n", want: "" },
    { body: " \t\n \n", want: "" },
    // RFC 6376 §3.4.5
    { body: " C \nD \t E\n\n\n", want: " C\r\nD E\r\n" },
    { body: "no line end", want: "no line end\r\n" },
    { body: "\n\na\n", want: "\r\n\r\na\r\n" },
    { body: "a\0\x0b\x0c b\n", want: "a\0\x0b\x0c b\r\n" },
  ];
  for (const { body, want } of table) {
    it(`takes ${JSON.stringify(body)} as ${JSON.stringify(want)}`, () => {
      assertEquals(relaxedBodyHash(toOctets(body)), hashOf(want));
    });
  }

  it("is what the RFC says, whatever is in the body and wherever its pieces are cut", () => {
    const word = fc.constantFrom(" ", "\t", "\n", "\n\n", "a", "é", "x".repeat(40_000), "\n".repeat(40_000), ".");
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        const body = words.join("");
        assertEquals(relaxedBodyHash(toOctets(body)), hashOf(relaxedByTheBook(body)));
      }),
      { numRuns: 60 },
    );
  });
});

describe("relaxedField()", () => {
  const table = [
    // RFC 6376 §3.4.5
    { text: "A: X", want: "a:X" },
    { text: "B : Y\t\n\tZ  ", want: "b:Y Z" },
    { text: "SubJect:  a\n  b ", want: "subject:a b" },
    { text: "Empty:", want: "empty:" },
    { text: "Empty: \n ", want: "empty:" },
    { text: "X: a:b : c", want: "x:a:b : c" },
  ];
  for (const { text, want } of table) {
    it(`makes ${JSON.stringify(want)} of ${JSON.stringify(text)}`, () => {
      const [field] = splitMessage(toOctets(`${text}\n\n`))!.fields;
      assertEquals(relaxedField(field!), want);
    });
  }
});

describe("splitMessage()", () => {
  const table = [
    { message: "A: b\nC: d\n\nbody\n", names: ["a", "c"], body: "body\n" },
    { message: "A: b\n c\n\tdd\nC:\n\n\n", names: ["a", "c"], body: "\n" },
    { message: "A: b\n", names: ["a"], body: "" },
    { message: "A: b", names: ["a"], body: "" },
    { message: "\nbody\n", names: [], body: "body\n" },
    { message: "", names: [], body: "" },
    { message: "A: b\nno field\n\nbody\n", names: undefined, body: "" },
    { message: " A: b\n\nbody\n", names: undefined, body: "" },
    { message: "From me\nA: b\n\n", names: undefined, body: "" },
  ];
  for (const { message, names, body } of table) {
    it(`finds ${names?.length ?? "no readable"} fields in ${JSON.stringify(message)}`, () => {
      const split = splitMessage(toOctets(message));
      assertEquals(split?.fields.map(({ name }) => name), names);
      if (split !== undefined) assertEquals(fromOctets(split.body), body);
    });
  }
});

describe("withLfLines()", () => {
  it("makes of every line end what is sent as CR LF", () => {
    assertEquals(fromOctets(withLfLines(toOctets("a\r\nb\rc\nd\r\r\n"))), "a\nb\nc\nd\n\n");
    const plain = toOctets("a\nb");
    assertEquals(withLfLines(plain), plain);
  });
});
