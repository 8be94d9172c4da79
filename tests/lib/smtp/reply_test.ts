import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { enhancedStatus, formatReply, ReplyParser } from "../../../components/lib/smtp/reply.ts";
import { bytes, cut } from "../octets.ts";

/** All replies of the chunks, each as `formatReply()` writes it, and at last an error in brackets. */
function read(chunks: readonly Uint8Array[]): string[] {
  const parser = new ReplyParser();
  const replies: string[] = [];
  for (const chunk of chunks) {
    parser.push(chunk);
    for (let reply = parser.takeReply(); reply !== undefined; reply = parser.takeReply()) {
      if (!reply.ok) return [...replies, `[${reply.error}]`];
      replies.push(formatReply(reply.value));
    }
  }
  return replies;
}

describe("ReplyParser", () => {
  const table: { input: string; want: string[]; why: string }[] = [
    { input: "220 mx.example ESMTP\r\n", want: ["220 mx.example ESMTP"], why: "reads one line" },
    { input: "250-a\r\n250-b\r\n250 c\r\n", want: ["250-a\n250-b\n250 c"], why: "reads several lines" },
    { input: "250 a\r\n550 b\r\n354", want: ["250 a", "550 b"], why: "reads pipelined replies" },
    { input: "250\r\n250-\r\n250\n", want: ["250 ", "250-\n250 "], why: "takes a code without text and a bare LF" },
    { input: "250 a\0b\x1b[1m\rc\td\x7f\r\n", want: ["250 a?b?[1m?c?d?"], why: "masks control octets" },
    { input: "250 \xc3\xa9\x80\r\n", want: ["250 \xc3\xa9\x80"], why: "keeps octets beyond ASCII" },
    { input: "250-a\r\n550 b\r\n", want: ["[malformed]"], why: "refuses two codes in one reply" },
    { input: "999 a\r\n", want: ["[bad code]"], why: "refuses code 999" },
    { input: "199 a\r\n", want: ["[bad code]"], why: "refuses code 199" },
    { input: "25\r\n", want: ["[malformed]"], why: "refuses two digits" },
    { input: "2500 a\r\n", want: ["[malformed]"], why: "refuses four digits" },
    { input: "250_a\r\n", want: ["[malformed]"], why: "refuses another separator" },
    { input: "\r\n", want: ["[malformed]"], why: "refuses an empty line" },
    { input: "SSH-2.0-x\r\n250 a\r\n", want: ["[malformed]"], why: "stays refused" },
    { input: "250-a\r\n".repeat(199) + "250 a\r\n", want: ["250-a\n".repeat(199) + "250 a"], why: "takes 200 lines" },
    { input: "250-a\r\n".repeat(200) + "250 a\r\n", want: ["[too many lines]"], why: "refuses 201 lines" },
    { input: "250-a\r\n".repeat(100_000), want: ["[too many lines]"], why: "refuses lines without end" },
  ];
  for (const { input, want, why } of table) {
    it(why, () => {
      assertEquals(read([bytes(input)]), want);
      if (input.length < 10_000) {
        assertEquals(read(Array.from(bytes(input), (octet) => Uint8Array.of(octet))), want);
      }
    });
  }

  it("cuts a line of 10 MB and stays in step behind it", () => {
    const [first, second] = read([
      bytes("250-"),
      ...Array.from({ length: 160 }, () => new Uint8Array(65_536).fill(0x61)),
      bytes("\r\n250 b\r\n354 c\r\n"),
    ]);
    assert(first !== undefined && first.length < 4200 && first.endsWith("a\n250 b"));
    assertEquals(second, "354 c");
  });

  it("drops what came before a handshake, and says how much", () => {
    const parser = new ReplyParser();
    parser.push(bytes("220 go\r\n250-AUTH PLAIN\r\n250 x"));
    assertEquals(parser.takeReply(), { ok: true, value: { code: 220, lines: ["go"] } });
    assertEquals(parser.discard(), 21);
    parser.push(bytes("250 y\r\n"));
    assertEquals(parser.takeReply(), { ok: true, value: { code: 250, lines: ["y"] } });
  });

  it("does not care where chunks are cut, and no octets make it throw", () => {
    const unit = fc.constantFrom("250", "-", " ", "\r\n", "\n", "550 x\r\n", "250-\r\n", "\0", "9", "z".repeat(3000));
    fc.assert(fc.property(fc.array(unit), fc.array(fc.nat(10_000)), (parts, places) => {
      const all = bytes(parts.join(""));
      assertEquals(read(cut(all, places)), read([all]));
    }));
  });

  it("reads back what formatReply() writes", () => {
    const line = fc.string({ unit: fc.constantFrom("a", "-", " ", "5.1.1", "\xe9") });
    const lines = fc.array(line, { minLength: 1, maxLength: 200 });
    fc.assert(fc.property(fc.integer({ min: 200, max: 599 }), lines, (code, texts) => {
      const parser = new ReplyParser();
      parser.push(bytes(formatReply({ code, lines: texts }) + "\n"));
      assertEquals(parser.takeReply(), { ok: true, value: { code, lines: texts } });
    }));
  });
});

describe("enhancedStatus()", () => {
  const table: { code: number; line: string; want: string | undefined }[] = [
    { code: 550, line: "5.1.1 no such user", want: "5.1.1" },
    { code: 250, line: "2.0.0", want: "2.0.0" },
    { code: 451, line: "4.7.500 later", want: "4.7.500" },
    { code: 451, line: "5.1.1 another class", want: undefined },
    { code: 354, line: "3.0.0 go", want: undefined },
    { code: 550, line: "5.1.1000 x", want: undefined },
    { code: 550, line: "5.01.1 x", want: undefined },
    { code: 550, line: "5.1.1, x", want: undefined },
    { code: 550, line: "5.1", want: undefined },
    { code: 550, line: "(#5.1.1)", want: undefined },
    { code: 550, line: "", want: undefined },
  ];
  for (const { code, line, want } of table) {
    it(`answers ${want} for ${code} ${JSON.stringify(line)}`, () => {
      assertEquals(enhancedStatus({ code, lines: [line] }), want);
    });
  }
});
