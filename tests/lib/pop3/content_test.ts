import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import { ContentEncoder } from "../../../components/lib/pop3/content.ts";
import { DotDecoder } from "../../../components/lib/smtp/dot_stuffing.ts";

/** The whole answer, the content cut at `cuts`. */
function encode(content: string, bodyLines: number | undefined, cuts: readonly number[] = []): string {
  const encoder = new ContentEncoder(bodyLines);
  const octets = toOctets(content);
  const ends = [...new Set([...cuts.map((cut) => cut % (octets.length + 1)), octets.length])].sort((a, b) => a - b);
  let [said, at] = [fromOctets(encoder.begin()), 0];
  for (const end of ends) {
    if (encoder.isDone) break;
    said += fromOctets(encoder.push(octets.subarray(at, end)));
    at = end;
  }
  return said + fromOctets(encoder.end());
}

const table: readonly { readonly content: string; readonly lines?: number; readonly want: string }[] = [
  { content: "a\n", want: "a\r\n\r\n.\r\n" },
  { content: "a", want: "a\r\n\r\n.\r\n" },
  { content: "", want: "\r\n.\r\n" },
  { content: ".\n..\n", want: "..\r\n...\r\n\r\n.\r\n" },
  { content: "a\r\nb\rc\n", want: "a\r\nb\r\nc\r\n\r\n.\r\n" },
  { content: "H: x\n\n1\n2\n3\n", lines: 0, want: "H: x\r\n\r\n\r\n.\r\n" },
  { content: "H: x\n\n1\n2\n3\n", lines: 2, want: "H: x\r\n\r\n1\r\n2\r\n\r\n.\r\n" },
  { content: "H: x\n\n1\n2\n3\n", lines: 9, want: "H: x\r\n\r\n1\r\n2\r\n3\r\n\r\n.\r\n" },
  { content: "H: x\r\n\r\n1\r\n2\r\n", lines: 1, want: "H: x\r\n\r\n1\r\n\r\n.\r\n" },
  { content: "H: no body", lines: 3, want: "H: no body\r\n\r\n.\r\n" },
  { content: "\n.1\n2\n", lines: 1, want: "\r\n..1\r\n\r\n.\r\n" },
];

const octet = fc.constantFrom("\n", "\r", ".", "a", "\xff");
const text = fc.array(octet, { maxLength: 60 }).map((octets) => octets.join(""));

describe("ContentEncoder", () => {
  for (const { content, lines, want } of table) {
    it(`sends ${JSON.stringify(content)}${lines === undefined ? "" : ` with ${lines} lines of the body`}`, () => {
      assertEquals(encode(content, lines), `+OK \r\n${want}`);
    });
  }

  it("does not depend on where the file is cut", () => {
    const cuts = fc.array(fc.nat(60), { maxLength: 6 });
    fc.assert(fc.property(text, cuts, fc.option(fc.nat(4), { nil: undefined }), (content, cuts, lines) => {
      assertEquals(encode(content, lines, cuts), encode(content, lines));
    }));
  });

  it("ends nowhere but at its end, and loses no line", () => {
    fc.assert(fc.property(text, (content) => {
      const decoder = new DotDecoder();
      const { output, done, rest } = decoder.push(toOctets(encode(content, undefined).slice("+OK \r\n".length)));
      assert(done);
      assertEquals(rest.length, 0);
      const lines = content.replaceAll("\r\n", "\n").replaceAll("\r", "\n");
      const whole = lines === "" || lines.endsWith("\n") ? lines : `${lines}\n`;
      assertEquals(fromOctets(output), `${whole}\n`);
    }));
  });
});
