import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import { LineDecoder } from "../../../components/lib/smtp/line_decoder.ts";

/** The text that comes out, or the defect. */
function decode(pieces: readonly string[], binary = false): string {
  const decoder = new LineDecoder({ binary });
  const text = pieces.map((piece) => fromOctets(decoder.push(toOctets(piece)).output)).join("");
  decoder.end();
  return decoder.defect ?? JSON.stringify(text);
}

describe("LineDecoder", () => {
  const table: { content: string; want: string }[] = [
    { content: "", want: '""' },
    { content: "a\r\n", want: '"a\\n"' },
    { content: "\r\n.\r\nb", want: '"\\n.\\nb"' },
    { content: "..\r\n", want: '"..\\n"' },
    { content: "a\nb", want: "bare LF" },
    { content: "a\rb", want: "bare CR" },
    { content: "a\r\r\n", want: "bare CR" },
    { content: "a\r", want: "bare CR" },
    { content: "a\0", want: "NUL" },
    { content: "a\0\n\r", want: "NUL" },
    { content: "\xff\x1a", want: '"ÿ\x1a"'.replace("\x1a", "\\u001a") },
  ];
  for (const { content, want } of table) {
    it(`makes ${want} of ${JSON.stringify(content)}`, () => assertEquals(decode([content]), want));
  }

  it("lets NUL through in binary content, and nothing else more", () => {
    assertEquals(decode(["a\0\r\n"], true), '"a\\u0000\\n"');
    assertEquals(decode(["a\0\n"], true), "bare LF");
  });

  it("does not mind where the content is cut", () => {
    const content = fc.string({ unit: fc.constantFrom("\r\n", "\r", "\n", "\0", "a", "."), maxLength: 12 });
    fc.assert(fc.property(content, fc.nat(12), fc.nat(12), (text, one, two) => {
      const [from, to] = [Math.min(one, two), Math.max(one, two)];
      assertEquals(decode([text.slice(0, from), text.slice(from, to), text.slice(to)]), decode([text]));
    }));
  });
});
