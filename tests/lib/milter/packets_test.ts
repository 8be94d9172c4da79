import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatBody, fromCrlf, toCrlf } from "../../../components/lib/milter/commands.ts";
import { parseMilters } from "../../../components/lib/milter/milters_file.ts";
import { formatNegotiation, parseNegotiation } from "../../../components/lib/milter/negotiation.ts";
import { formatPacket, longestPacket, type Packet, PacketReader } from "../../../components/lib/milter/packet.ts";
import { parseReply } from "../../../components/lib/milter/reply.ts";
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import { number } from "./scripted_milter.ts";

const octet = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const octets = fc.string({ unit: octet });

describe("PacketReader", () => {
  it("gives back what formatPacket() made, wherever the octets are cut", () => {
    const packets = fc.array(fc.record({ letter: octet, data: octets }), { maxLength: 8 });
    fc.assert(fc.property(packets, fc.array(fc.integer({ min: 1, max: 9 })), (packets, cuts) => {
      let text = packets.map(({ letter, data }) => fromOctets(formatPacket(letter, data))).join("");
      const reader = new PacketReader();
      const read: Packet[] = [];
      for (const cut of [...cuts, text.length]) {
        const result = reader.push(toOctets(text.slice(0, cut)));
        text = text.slice(cut);
        assert(result.ok);
        read.push(...result.value);
      }
      assertEquals(read, packets.map(({ letter, data }) => ({ letter, data })));
    }));
  });

  it("gives up on a length that is none before anything behind it is waited for", () => {
    for (const length of [0, longestPacket + 1, 0x7fffffff, 0xffffffff]) {
      assertEquals(new PacketReader().push(toOctets(number(length))).ok, false, String(length));
    }
    assertEquals(new PacketReader().push(toOctets("HTTP/1.1 400 Bad Request\r\n\r\n")).ok, false);
    assertEquals(new PacketReader().push(toOctets(number(longestPacket) + "b")), { ok: true, value: [] });
  });

  it("never throws", () => {
    fc.assert(fc.property(fc.array(octets), (pieces) => {
      const reader = new PacketReader();
      for (const piece of pieces) if (!reader.push(toOctets(piece)).ok) return;
    }));
  });
});

describe("the negotiation", () => {
  const of = (version: number, actions: number, steps: number, more = "") =>
    parseNegotiation({ letter: "O", data: number(version) + number(actions) + number(steps) + more });

  it("offers version 6, every change but a quarantine, and to leave out any step", () => {
    assertEquals(fromOctets(formatNegotiation()), `${number(13)}O${number(6)}${number(0x5f)}${number(0x1ff7ff)}`);
  });

  it("takes what was offered, and of the actions no more", () => {
    assertEquals(of(6, 0x1ff, 0x100001), { ok: true, value: { version: 6, actions: 0x5f, steps: 0x100001 } });
    assertEquals(of(2, 1, 0), { ok: true, value: { version: 2, actions: 1, steps: 0 } });
  });

  it("passes over lists of macros, sizes of packets, and a wish to hear of recipients that are refused", () => {
    assertEquals(of(6, 1, 0x10000800, `${number(0)}j _ {if_name}\0`), {
      ok: true,
      value: { version: 6, actions: 1, steps: 0 },
    });
  });

  it("refuses other versions, steps that nobody has offered, and what is cut off", () => {
    for (const [version, steps] of [[1, 0], [7, 0], [0xffffffff, 0], [6, 0x200000], [6, 0x08000000]] as const) {
      assertEquals(of(version, 1, steps).ok, false, `${version} ${steps}`);
    }
    assertEquals(parseNegotiation({ letter: "O", data: number(6) + number(0) }).ok, false);
    assertEquals(parseNegotiation({ letter: "c", data: number(6) + number(0) + number(0) }).ok, false);
  });
});

const changed = (change: unknown, needs: number) => ({ ok: true, value: { kind: "change", needs, change } });
const refused = "refused";

const replies: readonly { readonly letter: string; readonly data?: string; readonly want: unknown }[] = [
  ...Object.entries({ c: "continue", a: "accept", r: "reject", t: "temporary", d: "discard", s: "skip", p: "progress" })
    .map(([letter, kind]) => ({ letter, want: { ok: true, value: { kind } } })),
  { letter: "4", want: { ok: true, value: { kind: "temporary" } } },
  {
    letter: "y",
    data: "550 5.7.1 no\0",
    want: { ok: true, value: { kind: "reply code", code: 550, text: "5.7.1 no" } },
  },
  {
    letter: "y",
    data: "451-4.7.1 a\r\n451 4.7.1 b\0",
    want: { ok: true, value: { kind: "reply code", code: 451, text: "4.7.1 a 4.7.1 b" } },
  },
  { letter: "y", data: "550", want: { ok: true, value: { kind: "reply code", code: 550, text: "" } } },
  { letter: "y", data: "250 ok\0", want: refused },
  { letter: "y", data: "5500 no\0", want: refused },
  { letter: "y", data: "550 no\r\n250 ok\0", want: refused },
  { letter: "y", data: "", want: refused },
  { letter: "h", data: "X-A\x001\0", want: changed({ kind: "add field", field: { name: "X-A", value: " 1" } }, 1) },
  {
    letter: "h",
    data: "X-A\x001\n\t2\0",
    want: changed({ kind: "add field", field: { name: "X-A", value: " 1\n\t2" } }, 1),
  },
  { letter: "h", data: "X-A\x001\nBcc: x\0", want: refused },
  { letter: "h", data: "X-A\x001", want: refused },
  { letter: "h", data: "X-A\0", want: refused },
  { letter: "h", data: "X-A\x001\0more\0", want: refused },
  { letter: "h", data: "X-A: 1\nX-B\x001\0", want: refused },
  { letter: "h", data: "\x001\0", want: refused },
  {
    letter: "i",
    data: `${number(7)}X-A\x001\0`,
    want: changed({ kind: "insert field", index: 7, field: { name: "X-A", value: " 1" } }, 1),
  },
  { letter: "i", data: "X-A", want: refused },
  {
    letter: "m",
    data: `${number(2)}X-A\x001\0`,
    want: changed({ kind: "change field", index: 2, field: { name: "X-A", value: " 1" } }, 16),
  },
  { letter: "m", data: `${number(2)}X-A\0\0`, want: changed({ kind: "delete field", index: 2, name: "X-A" }, 16) },
  { letter: "m", data: `${number(2)}X-A\0`, want: refused },
  { letter: "b", data: "a\0b\r\n", want: changed({ kind: "body", octets: "a\0b\r\n" }, 2) },
  { letter: "+", data: "<a@b.example>\0", want: changed({ kind: "add recipient", address: "a@b.example" }, 4) },
  { letter: "+", data: "a@b.example\0", want: changed({ kind: "add recipient", address: "a@b.example" }, 4) },
  { letter: "+", data: "<>\0", want: refused },
  { letter: "+", data: "<a@b.example>", want: refused },
  { letter: "+", data: "<a@b.example>\n<c@d.example>\0", want: refused },
  {
    letter: "-",
    data: '<"a b"@B.example>\0',
    want: changed({ kind: "delete recipient", address: "a b@b.example" }, 8),
  },
  { letter: "e", data: "<>\0", want: changed({ kind: "sender", address: "" }, 64) },
  { letter: "e", data: "<a@b.example>\0SIZE=1\0", want: changed({ kind: "sender", address: "a@b.example" }, 64) },
  { letter: "2", data: "<a@b.example>\0\0", want: refused },
  { letter: "q", data: "virus\0", want: { ok: true, value: { kind: "quarantine" } } },
  { letter: "f", want: refused },
  { letter: "O", data: number(6), want: refused },
  { letter: "\0", want: refused },
];

describe("parseReply()", () => {
  for (const { letter, data = "", want } of replies) {
    it(`${want === refused ? "refuses" : "takes"} ${JSON.stringify(letter + data)}`, () => {
      const result = parseReply({ letter, data }, false);
      if (want === refused) assertEquals(result.ok, false);
      else assertEquals(result as unknown, want);
    });
  }

  it("leaves the blank behind a colon to the milter that has asked for it", () => {
    const value = (data: string) => parseReply({ letter: "h", data }, true);
    assertEquals(value("X-A\x001\0") as unknown, changed({ kind: "add field", field: { name: "X-A", value: "1" } }, 1));
    assertEquals(
      value("X-A\0  1\0") as unknown,
      changed({ kind: "add field", field: { name: "X-A", value: "  1" } }, 1),
    );
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.constantFrom(..."yhimb+-e2q"), octets, (letter, data) => void parseReply({ letter, data }, false)),
    );
  });
});

describe("a body on its way to a milter", () => {
  it("has lines that end in CRLF, and is the same when it comes back", () => {
    assertEquals(fromOctets(toCrlf(toOctets("a\n\nb\r\nc\rd"))), "a\r\n\r\nb\r\r\nc\rd");
    const text = fc.string({ unit: fc.constantFrom("\r", "\n", "a", "\0", "\xff"), maxLength: 40 });
    fc.assert(fc.property(text, (body) => assertEquals(fromCrlf(fromOctets(toCrlf(toOctets(body)))), body)));
  });

  it("comes in pieces that milters take", () => {
    const body = toOctets("x\n".repeat(100_000));
    const reader = new PacketReader();
    const pieces = Array.from(formatBody(body), (piece) => {
      const read = reader.push(piece);
      assert(read.ok);
      return read.value[0]!;
    });
    assertEquals(pieces.map(({ data }) => data.length), [65_535, 65_535, 65_535, 65_535, 37_860]);
    assertEquals(pieces.map(({ data }) => data).join(""), "x\r\n".repeat(100_000));
    assertEquals([...formatBody(new Uint8Array())], []);
  });
});

describe("parseMilters()", () => {
  it("reads milters in order, and which of them mail can go without", () => {
    assertEquals(parseMilters("# DKIM\nunix:/run/opendkim/opendkim.sock\n127.0.0.1:11332\tpass\n"), {
      ok: true,
      value: [
        { address: { kind: "unix", path: "/run/opendkim/opendkim.sock" }, onTrouble: "fail" },
        { address: { kind: "tcp", host: "127.0.0.1", port: 11332 }, onTrouble: "pass" },
      ],
    });
    assertEquals(parseMilters(""), { ok: true, value: [] });
    for (const text of ["opendkim", "127.0.0.1:1 451", "127.0.0.1:1 pass pass", "127.0.0.1:1\n".repeat(9)]) {
      assertEquals(parseMilters(text).ok, false, text);
    }
  });
});
