import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { HeaderReader, longestHeader } from "../../../components/lib/message/header_reader.ts";
import { LineEnds } from "../../../components/lib/message/line_ends.ts";
import { splitField } from "../../../components/lib/message/field_kinds.ts";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";

/** The fields, and the body as qmail-inject passes it on, of a message that comes in these pieces. */
function read(...pieces: readonly string[]): { fields: readonly string[]; body: string | undefined } | "too long" {
  const reader = new HeaderReader();
  const rest = pieces.map(toOctets);
  let header;
  while (header === undefined && rest.length > 0) {
    const state = reader.push(rest.shift()!);
    if (state.kind === "too long") return "too long";
    if (state.kind === "whole") header = state.header;
  }
  header ??= reader.end();
  const ends = new LineEnds(header.crlf);
  const body = [header.rest, ...rest].map((piece) => fromOctets(ends.push(piece))).join("") + fromOctets(ends.end());
  return { fields: header.fields, body: header.hasBody ? body : undefined };
}

describe("HeaderReader", () => {
  const table = [
    { message: "", fields: [], body: undefined },
    { message: "To: a\n", fields: ["To: a\n"], body: undefined },
    { message: "To: a", fields: ["To: a\n"], body: undefined },
    { message: "To: a\n\n", fields: ["To: a\n"], body: "" },
    { message: "To: a\n b\n\tc\nX:y\n\nz\n", fields: ["To: a\n b\n\tc\n", "X:y\n"], body: "z\n" },
    { message: "To: a\n \n\nz", fields: ["To: a\n \n"], body: "z\n" },
    { message: "\nTo: a\n", fields: [], body: "To: a\n" },
    { message: "hello\n", fields: [], body: "hello\n" },
    { message: "hello", fields: [], body: "hello\n" },
    { message: " To: a\n", fields: [], body: " To: a\n" },
    { message: "To a: b\n", fields: [], body: "To a: b\n" },
    { message: ": b\n", fields: [], body: ": b\n" },
    { message: "T\xf6: b\n", fields: [], body: "T\xf6: b\n" },
    { message: "To\0: b\n", fields: [], body: "To\0: b\n" },
    { message: "To \t : b\n", fields: ["To \t : b\n"], body: undefined },
    { message: "__proto__: x\n\n", fields: ["__proto__: x\n"], body: "" },
    {
      message: "From foo bar\nbad header line\nTo: a@b.c\n\nx",
      fields: ["MBOX-Line: From foo bar\n"],
      body: "bad header line\nTo: a@b.c\n\nx\n",
    },
    { message: "From a\n b\n", fields: ["MBOX-Line: From a\n b\n"], body: undefined },
    { message: "From: a\n>From b\n", fields: ["From: a\n"], body: ">From b\n" },
    // CRLF, as some programs write; a body's bare CR stays.
    { message: "To: a\r\nX: y\r\n z\r\n\r\nb\r\nc\rd\r\n", fields: ["To: a\n", "X: y\n z\n"], body: "b\nc\rd\n" },
    { message: "To: a\r\n\r\nb\nc\r", fields: ["To: a\n"], body: "b\nc\r\n" },
    { message: "To: a\nX: y\r\n\nb\r\n", fields: ["To: a\n", "X: y\n"], body: "b\r\n" },
    { message: "X: a\rb\n\n", fields: ["X: a\rb\n"], body: "" },
    { message: "X: a\0b\n\n\0", fields: ["X: a\0b\n"], body: "\0\n" },
    // A line of one dot is a line.
    { message: "To: a\n\nb\n.\nc\n", fields: ["To: a\n"], body: "b\n.\nc\n" },
  ];
  for (const { message, ...want } of table) {
    it(`splits ${JSON.stringify(message)}`, () => assertEquals(read(message), want));
  }

  it("splits a message as one piece as it does cut anywhere", () => {
    const text = fc.string({ unit: fc.constantFrom(..."a:\n\r \tF"), maxLength: 40 });
    const message = fc.oneof(text, fc.constantFrom(...table).map((row) => row.message));
    fc.assert(fc.property(message, fc.array(fc.nat(45), { maxLength: 5 }), (message, cuts) => {
      const ends = [0, ...cuts.toSorted((a, b) => a - b), message.length];
      const pieces = ends.slice(1).map((end, index) => message.slice(ends[index]!, end));
      assertEquals(read(...pieces), read(message));
    }));
  });

  it("refuses a header that is longer than its limit, be it one line or many", () => {
    const piece = "x".repeat(1024 * 1024);
    const pieces = Array.from({ length: 10 }, () => piece);
    assertEquals(read("X: ", ...pieces), "too long");
    assertEquals(read(...pieces), "too long");
    assertEquals(read("X: y\n ", ...pieces), "too long");
    assertEquals(read(...pieces.map(() => "X: y\n".repeat(200_000))), "too long");
  });

  it("takes one very long line that is no field for the body", () => {
    const piece = "two words ".repeat(100_000);
    const found = read("X: y\n", ...Array.from({ length: 10 }, () => piece));
    assert(found !== "too long");
    assertEquals(found.fields, ["X: y\n"]);
    assertEquals(found.body, `${piece.repeat(10)}\n`);
    assert(piece.length * 10 > longestHeader);
  });
});

describe("splitField()", () => {
  it("knows a field in any case, with blanks in front of the colon, and none by an object's names", () => {
    assertEquals(splitField("rESENT-tO \t: a\n"), {
      name: "rESENT-tO",
      key: "resent-to",
      value: " a\n",
      kind: { addresses: true, recipients: "resent", resent: true },
    });
    for (const name of ["__proto__", "constructor", "toString", "X-To", "Mail-Reply-To"]) {
      assertEquals(splitField(`${name}: a\n`).kind, {});
    }
  });
});
