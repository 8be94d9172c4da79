import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import { Content, type Fault } from "../../../components/lib/smtp/content.ts";

interface Result {
  readonly text: string;
  readonly rest: string;
  readonly fault: Fault | undefined;
  readonly bytes: number;
  readonly pieces: number;
}

function receive(chunks: readonly string[], databytes = 0): Result {
  const content = new Content(databytes);
  const outputs: Uint8Array[] = [];
  let rest = "";
  for (const chunk of chunks) {
    const decoded = content.push(toOctets(chunk));
    if (decoded.output.length > 0) outputs.push(decoded.output);
    rest += fromOctets(decoded.rest);
  }
  return {
    text: outputs.map(fromOctets).join(""),
    rest,
    fault: content.fault,
    bytes: content.bytes,
    pieces: outputs.length,
  };
}

describe("Content", () => {
  const hops = (count: number) => "Received: x\r\n".repeat(count);
  const rows: { name: string; input: string; databytes?: number; fault: Fault | undefined; text?: string }[] = [
    { name: "takes an empty message", input: ".\r\n", fault: undefined, text: "" },
    { name: "decodes dots and line ends", input: "..a\r\n.b\r\n.\r\n", fault: undefined, text: ".a\nb\n" },
    { name: "takes exactly databytes", input: "12345\r\n.\r\n", databytes: 6, fault: undefined, text: "12345\n" },
    { name: "refuses one octet more", input: "123456\r\n.\r\n", databytes: 6, fault: "size" },
    { name: "takes 99 hops", input: `${hops(99)}\r\n.\r\n`, fault: undefined },
    { name: "refuses 100 hops", input: `${hops(100)}\r\n.\r\n`, fault: "hops" },
    { name: "names a loop before the size", input: `${hops(100)}\r\n.\r\n`, databytes: 10, fault: "hops" },
    { name: "names a defect before the others", input: `${hops(100)}\n\r\n.\r\n`, databytes: 10, fault: "bare LF" },
  ];
  for (const { name, input, databytes = 0, fault, text } of rows) {
    it(name, () => {
      const got = receive([`${input}QUIT\r\n`], databytes);
      assertEquals([got.fault, got.rest], [fault, "QUIT\r\n"]);
      if (text !== undefined) assertEquals(got.text, text);
    });
  }

  it("gives the same wherever the chunks are cut", () => {
    const pieces = fc.constantFrom(
      "\r",
      "\n",
      "\r\n",
      ".",
      "\0",
      "a",
      "Received: x\r\n",
      "\r\n\r\n",
      "x".repeat(5000),
      "\r\n.\r\n",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), fc.array(fc.nat(200)), fc.nat(20), (parts, cuts, databytes) => {
        const input = `${parts.join("")}\r\n.\r\nQUIT\r\n`;
        const chunks: string[] = [];
        let at = 0;
        for (const cut of cuts) chunks.push(input.slice(at, at += cut));
        chunks.push(input.slice(at));
        const { pieces: _whole, text: wholeText, ...whole } = receive([input], databytes);
        const { pieces: _cut, text: cutText, ...cut } = receive(chunks, databytes);
        assertEquals(cut, whole);
        if (whole.fault === undefined) assertEquals(cutText, wholeText);
      }),
    );
  });

  it("passes on what comes octet by octet in pieces of some size", () => {
    const lines = `${"x".repeat(70)}\r\n`.repeat(1000);
    const { text, pieces } = receive([...`${lines}.\r\n`]);
    assertEquals(text.length, 71_000);
    assert(pieces <= 18, String(pieces));
  });

  it("passes on nothing any more once the message is lost", () => {
    const { text, bytes } = receive(["a\r\n".repeat(10_000), "b\r\n".repeat(10_000), ".\r\n"], 30_000);
    assertEquals(bytes, 40_000);
    assertEquals(text, "a\n".repeat(10_000));
  });
});
