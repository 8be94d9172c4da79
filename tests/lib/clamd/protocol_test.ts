import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { defaultClamd, parseClamd } from "../../../components/lib/clamd/clamd_file.ts";
import { AnswerReader, type ClamdAnswer, formatInstream, parseAnswer } from "../../../components/lib/clamd/protocol.ts";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";

/** The message in what a client wrote, read as clamd does. */
function readInstream(octets: Uint8Array): string {
  const command = "zINSTREAM\0";
  assertEquals(fromOctets(octets.subarray(0, command.length)), command);
  const view = new DataView(octets.buffer, octets.byteOffset);
  let text = "";
  for (let at = command.length;;) {
    const length = view.getUint32(at);
    at += 4;
    if (length === 0) {
      assertEquals(at, octets.length);
      return text;
    }
    text += fromOctets(octets.subarray(at, at + length));
    at += length;
  }
}

function joined(pieces: Iterable<Uint8Array>): Uint8Array {
  return toOctets(Array.from(pieces, fromOctets).join(""));
}

describe("formatInstream()", () => {
  it("says the message in chunks, octet by octet, and then that it is over", () => {
    for (const length of [0, 1, 65_535, 65_536, 65_537, 200_000]) {
      const content = new Uint8Array(length).map((_, at) => at % 251);
      assertEquals(readInstream(joined(formatInstream(content))), fromOctets(content));
    }
  });
});

const answers: readonly { readonly line: string; readonly want: ClamdAnswer }[] = [
  { line: "stream: OK", want: { kind: "clean" } },
  { line: "stream: Eicar-Test-Signature FOUND", want: { kind: "found", name: "Eicar-Test-Signature" } },
  { line: "stream: A B (x) FOUND", want: { kind: "found", name: "A B (x)" } },
  { line: "INSTREAM size limit exceeded. ERROR", want: { kind: "too large" } },
  ...["", "OK", "stream: ok", "stream: OK FOUND?", "stream:  FOUND", "UNKNOWN COMMAND", "stream: OK\nstream: OK"]
    .map((line) => ({ line, want: { kind: "error", text: line } as const })),
  { line: "Can't allocate memory ERROR", want: { kind: "error", text: "Can't allocate memory ERROR" } },
];

describe("parseAnswer()", () => {
  for (const { line, want } of answers) {
    it(`takes ${JSON.stringify(line)} as ${want.kind}`, () => assertEquals(parseAnswer(line), want));
  }

  it("says the same wherever the octets are cut, and waits for the NUL", () => {
    fc.assert(
      fc.property(fc.constantFrom(...answers), fc.array(fc.nat(9), { maxLength: 9 }), ({ line, want }, cuts) => {
        const reader = new AnswerReader();
        let rest = line;
        for (const cut of cuts) {
          assertEquals(reader.push(toOctets(rest.slice(0, cut))), undefined);
          rest = rest.slice(cut);
        }
        assertEquals(reader.push(toOctets(`${rest}\0more`)), want);
      }),
    );
  });

  it("gives up on an answer without end", () => {
    const reader = new AnswerReader();
    assertEquals(reader.push(toOctets("x".repeat(4096))), undefined);
    assertEquals(reader.push(toOctets("x"))?.kind, "error");
    assertEquals(new AnswerReader().push(toOctets(`${"x".repeat(5000)}\0`))?.kind, "error");
  });
});

describe("parseClamd()", () => {
  it("reads an address and what becomes of large messages", () => {
    const address = { kind: "tcp", host: "127.0.0.1", port: 3310 } as const;
    assertEquals(parseClamd("127.0.0.1:3310\n"), { ok: true, value: { address, whenTooLarge: "pass" } });
    assertEquals(parseClamd("127.0.0.1:3310 toolarge=refuse\n"), {
      ok: true,
      value: { address, whenTooLarge: "refuse" },
    });
    assertEquals(parseClamd("unix:/run/clamav/clamd.ctl"), { ok: true, value: defaultClamd });
    for (const text of ["", "clamd", "127.0.0.1:3310 refuse", "127.0.0.1:3310 toolarge=pass x"]) {
      assertEquals(parseClamd(text).ok, false);
    }
  });
});
