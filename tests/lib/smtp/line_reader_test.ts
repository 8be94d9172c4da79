import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { LineReader, MAX_LINE } from "../../../components/lib/smtp/line_reader.ts";
import { bytes, cut, text } from "../octets.ts";

/** All lines of the chunks, a line too long shown as `!` and its start's length; then the rest. */
function read(chunks: readonly Uint8Array[], drainLate = false): { lines: string[]; rest: string } {
  const reader = new LineReader();
  const lines: string[] = [];
  const drain = () => {
    for (let line = reader.takeLine(); line !== undefined; line = reader.takeLine()) {
      lines.push(line.kind === "line" ? line.text : `!${line.start.length}`);
    }
  };
  for (const chunk of chunks) {
    reader.push(chunk);
    if (!drainLate) drain();
  }
  drain();
  return { lines, rest: text(reader.rest()) };
}

describe("LineReader", () => {
  const full = "a".repeat(MAX_LINE - 2);
  const table: { input: string; lines: string[]; rest: string; why: string }[] = [
    { input: "A\r\nB\r\n", lines: ["A", "B"], rest: "", why: "splits at CRLF" },
    { input: "A\nB\n", lines: ["A", "B"], rest: "", why: "takes a bare LF as line end" },
    { input: "A\r\r\n\r\n\n", lines: ["A\r", "", ""], rest: "", why: "drops one CR only" },
    { input: "A\rB\r\n", lines: ["A\rB"], rest: "", why: "keeps a CR inside a line" },
    { input: "\0\x80\x9f\xff\r\n", lines: ["\0\x80\x9f\xff"], rest: "", why: "keeps every octet" },
    { input: "A\r\nB", lines: ["A"], rest: "B", why: "holds an unfinished line" },
    { input: `${full}\r\nB\r\n`, lines: [full, "B"], rest: "", why: "takes a line of 4096 octets" },
    { input: `a${full}\n`, lines: [`a${full}`], rest: "", why: "counts a bare LF as one octet" },
    { input: `${full}a\r\nB\r\n`, lines: [`!${MAX_LINE - 2}`, "B"], rest: "", why: "reports 4097 octets once" },
    {
      input: `${"a".repeat(100_000)}\nB\n`,
      lines: [`!${MAX_LINE - 2}`, "B"],
      rest: "",
      why: "drops through the next LF",
    },
    {
      input: "a".repeat(100_000),
      lines: [`!${MAX_LINE - 2}`],
      rest: "",
      why: "reports an endless line without its end",
    },
  ];
  for (const { input, lines, rest, why } of table) {
    it(why, () => {
      assertEquals(read([bytes(input)]), { lines, rest });
      assertEquals(read(Array.from(bytes(input), (octet) => Uint8Array.of(octet))), { lines, rest });
    });
  }

  it("does not care where chunks are cut or when lines are taken", () => {
    const unit = fc.constantFrom("\r\n", "\n", "\r", "A", "a".repeat(2000), "b".repeat(4094));
    fc.assert(fc.property(fc.array(unit), fc.array(fc.nat(20_000)), fc.boolean(), (parts, places, late) => {
      const all = bytes(parts.join(""));
      const whole = read([all]);
      assertEquals(read(cut(all, places), late), whole);
    }));
  });

  it("hands over all that it holds, in order, and starts afresh", () => {
    const reader = new LineReader();
    for (const chunk of ["DA", "TA\r", "\nSub", "ject: x\r\n", ".\r\n"]) reader.push(bytes(chunk));
    assertEquals(reader.takeLine(), { kind: "line", text: "DATA" });
    assertEquals(text(reader.rest()), "Subject: x\r\n.\r\n");
    assertEquals(reader.rest().length, 0);
    reader.push(bytes("QUI"));
    assertEquals(reader.takeLine(), undefined);
    assertEquals(text(reader.rest()), "QUI");
    reader.push(bytes("RSET\r\n"));
    assertEquals(reader.takeLine(), { kind: "line", text: "RSET" });
  });

  it("searches each octet of an endless line once", () => {
    class Counted extends Uint8Array {
      static searched = 0;
      override indexOf(octet: number, from = 0): number {
        Counted.searched += this.length - from;
        return super.indexOf(octet, from);
      }
    }
    const reader = new LineReader();
    for (let count = 0; count < 20_000; count++) {
      reader.push(new Counted([0x61]));
      reader.takeLine();
    }
    assertEquals(Counted.searched, 20_000);
  });

  it("takes lines up to the limit it is given, however they are cut", () => {
    for (const cut of [1, 4000, 4096, 5000, 12_000]) {
      for (const length of [12_286, 12_287]) {
        const reader = new LineReader();
        const octets = new TextEncoder().encode(`${"x".repeat(length)}\r\nNOOP\r\n`);
        for (let at = 0; at < octets.length; at += cut) {
          reader.push(octets.slice(at, at + cut));
          if (at + cut >= length) continue;
          assertEquals(reader.takeLine(12_288), undefined);
        }
        const line = reader.takeLine(12_288);
        assertEquals(line?.kind, length === 12_286 ? "line" : "too long");
        assertEquals(line?.kind === "line" ? line.text.length : 12_286, 12_286);
        assertEquals(reader.takeLine(), { kind: "line", text: "NOOP" });
        assertEquals(reader.isEmpty, true);
      }
    }
  });
});
