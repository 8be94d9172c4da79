import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { toOctets } from "../../components/lib/octets.ts";
import { eachLine, eachLines } from "../../components/supervisor/lines.ts";

const long = "x".repeat(16_384);
const text = `a\n\n${long}\n${long}y\nb\n${long}${long}\nend without line end`;
const want = ["a", "", long, long, "b", long, "end without line end"];

function streamOf(pieceBytes: number): ReadableStream<Uint8Array> {
  const octets = toOctets(text);
  const pieces = Array.from(
    { length: Math.ceil(octets.length / pieceBytes) },
    (_, at) => octets.subarray(at * pieceBytes, (at + 1) * pieceBytes),
  );
  return ReadableStream.from(pieces);
}

describe("eachLine()", () => {
  for (const pieceBytes of [1, 7, 16_384, 16_385, text.length]) {
    it(`cuts what is too long, of pieces of ${pieceBytes}`, async () => {
      const lines: string[] = [];
      await eachLine(streamOf(pieceBytes), (line) => lines.push(line));
      assertEquals(lines, want);
    });
  }
});

describe("eachLines()", () => {
  it("gives whole lines, each with its end", async () => {
    const texts: string[] = [];
    await eachLines(streamOf(20_000), (some) => texts.push(some));
    assertEquals(texts.every((some) => some.endsWith("\n")), true);
    assertEquals(texts.join(""), want.map((line) => `${line}\n`).join(""));
  });
});
