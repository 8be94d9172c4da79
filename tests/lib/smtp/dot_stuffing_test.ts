import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { DotDecoder, DotEncoder, encodeDots } from "../../../components/lib/smtp/dot_stuffing.ts";
import { bytes, cut, readVector, text } from "../octets.ts";

interface Seen {
  readonly output: string;
  readonly done: boolean;
  readonly rest: string;
  readonly defect: string | undefined;
}

function decode(chunks: readonly Uint8Array[]): Seen {
  const decoder = new DotDecoder();
  let output = "";
  let rest = "";
  let done = false;
  for (const chunk of chunks) {
    // The decoder writes into what it gets.
    const decoded = decoder.push(chunk.slice());
    output += text(decoded.output);
    rest += text(decoded.rest);
    assert(decoded.output.length <= chunk.length);
    assert(decoded.done || !done);
    done = decoded.done;
  }
  return { output, done, rest, defect: decoder.defect };
}

function encode(chunks: readonly Uint8Array[]): string {
  const encoder = new DotEncoder();
  const body = chunks.map((chunk) => text(encoder.push(chunk))).join("");
  return body + text(encoder.end());
}

const pieces = ["\r", "\n", "\r\n", ".", "\r\n.", "a", "\0", "\xff", "\t", "\x0e", "seven\x80\x7f"];
const octets = fc.oneof(
  fc.string({ unit: fc.constantFrom(...pieces), maxLength: 40 }).map(bytes),
  fc.uint8Array({ maxLength: 100 }),
);
const places = fc.array(fc.nat(100), { maxLength: 8 });

describe("DotDecoder", () => {
  const table: { input: string; want: Partial<Seen>; why: string }[] = [
    { input: ".\r\n", want: { output: "", done: true, rest: "" }, why: "ends at once on a lone dot" },
    {
      input: "a\r\n.\r\nQUIT\r\n",
      want: { output: "a\n", done: true, rest: "QUIT\r\n" },
      why: "keeps the commands behind",
    },
    { input: "..\r\n...a\r\n.\r\n", want: { output: ".\n..a\n", done: true }, why: "unstuffs dots" },
    { input: ".a\r\n.\r\n", want: { output: "a\n", done: true }, why: "drops a dot that nobody stuffed" },
    { input: "a.\r\n.b.\r\n.\r\n", want: { output: "a.\nb.\n", done: true }, why: "leaves other dots" },
    { input: "a\r\n", want: { output: "a\n", done: false }, why: "waits for the end" },
    { input: "a\r\n.\r", want: { output: "a\n", done: false, defect: undefined }, why: "waits for the last LF" },
    { input: "a\rb\r\n.\r\n", want: { done: true, defect: "bare CR" }, why: "reports a bare CR" },
    { input: "a\nb\r\n.\r\n", want: { done: true, defect: "bare LF" }, why: "reports a bare LF" },
    { input: "a\0b\r\n.\r\n", want: { done: true, defect: "NUL" }, why: "reports a NUL" },
    { input: "a\0b\n\r\n.\r\n", want: { done: true, defect: "NUL" }, why: "reports the first defect" },
    { input: "q\r\r\n.\r\n", want: { done: true, defect: "bare CR" }, why: "ends behind CR CRLF, whose CRLF is real" },
    {
      input: "\x01\x0b\t\x7f\xff\r\n.\r\n",
      want: { output: "\x01\x0b\t\x7f\xff\n", defect: undefined },
      why: "keeps the others",
    },
  ];
  for (const { input, want, why } of table) {
    it(`${why}: ${JSON.stringify(input)}`, () => {
      const seen = decode([bytes(input)]);
      assertEquals({ ...seen, ...want }, seen);
    });
  }

  it("gives back every chunk behind the end", () => {
    assertEquals(decode(["x\r\n.\r", "\nNO", "OP\r\n"].map(bytes)), {
      output: "x\n",
      done: true,
      rest: "NOOP\r\n",
      defect: undefined,
    });
  });

  it("does not care where chunks are cut", () => {
    fc.assert(fc.property(octets, places, (all, at) => {
      assertEquals(decode(cut(all, at)), decode([all]));
      assertEquals(decode(Array.from(all, (octet) => Uint8Array.of(octet))), decode([all]));
    }));
  });

  it("puts the output into the chunk's memory, and leaves what stands behind the end as it was", () => {
    fc.assert(fc.property(octets, (all) => {
      const before = text(all);
      const { output, rest } = new DotDecoder().push(all);
      assertEquals([output.buffer, output.byteOffset], [all.buffer, all.byteOffset]);
      assertEquals(text(rest), before.slice(before.length - rest.length));
    }));
  });
});

describe("DotEncoder", () => {
  const table: { input: string; want: string; why: string }[] = [
    { input: "", want: ".\r\n", why: "encodes nothing" },
    { input: "a\nb\n", want: "a\r\nb\r\n.\r\n", why: "writes CRLF" },
    { input: ".a\n..\n", want: "..a\r\n...\r\n.\r\n", why: "doubles a leading dot" },
    { input: "a", want: "a\r\n.\r\n", why: "supplies the last line end" },
    { input: "a\r\nb\rc\n", want: "a\r\nb\r\nc\r\n.\r\n", why: "keeps CR LF and completes a bare CR" },
    { input: "a\r\r\nb\n", want: "a\r\n\r\nb\r\n.\r\n", why: "completes the first CR of two" },
    { input: "a\r.\r", want: "a\r\n..\r\n.\r\n", why: "doubles a dot behind a bare CR" },
    { input: "\0\x0b\xff\n", want: "\0\x0b\xff\r\n.\r\n", why: "passes other octets" },
  ];
  for (const { input, want, why } of table) {
    it(`${why}: ${JSON.stringify(input)}`, () => {
      assertEquals(encode([bytes(input)]), want);
      assertEquals(text(encodeDots(bytes(input))), want);
    });
  }

  it("does not care where chunks are cut", () => {
    fc.assert(fc.property(octets, places, (all, at) => assertEquals(encode(cut(all, at)), text(encodeDots(all)))));
  });

  it("writes what DotDecoder reads as the same lines, with one end of content", () => {
    fc.assert(fc.property(octets, (all) => {
      const sent = encodeDots(all);
      const clean = text(all).replaceAll("\0", "x").replace(/\r\n?/g, "\n");
      const { output, done, rest, defect } = decode([sent.map((octet) => octet === 0 ? 0x78 : octet)]);
      assertEquals({ done, rest, defect }, { done: true, rest: "", defect: undefined });
      assertEquals(output, clean === "" || clean.endsWith("\n") ? clean : `${clean}\n`);
      assertEquals(text(sent).split(/(?:^|\r\n)\.\r\n/).length, 2);
    }));
  });
});

describe("Smuggling vectors", () => {
  const json = readVector("smuggling/eod-sequences.json");
  if (json === undefined) {
    it.skip("need the folder ../shared/vectors/smuggling", () => {});
    return;
  }
  // Characters beyond one octet stand for their UTF-8, as Unicode line separators would travel.
  const octetsOf = (value: string) => new TextEncoder().encode(value);
  const vectors = JSON.parse(json) as {
    eod: string[];
    not_eod: string[];
    edge: Record<string, string>;
    followup: string;
  };
  it("are all there", () => assertEquals([vectors.eod.length, vectors.not_eod.length], [1, 21]));

  for (const sequence of vectors.not_eod) {
    it(`${JSON.stringify(sequence)} does not end the content, wherever it is cut`, () => {
      const content = octetsOf(`a${sequence}`);
      const all = octetsOf(`a${sequence}${vectors.followup}QUIT\r\n`);
      const want = decode([all]);
      assertEquals([decode([content]).done, want.rest, want.done], [false, "QUIT\r\n", true]);
      for (let at = 0; at <= all.length; at++) assertEquals(decode(cut(all, [at])), want);
      if (/\r(?!\n)|(?<!\r)\n|\0/.test(sequence + "x")) assert(want.defect !== undefined, "no defect reported");
    });

    it(`${JSON.stringify(sequence)} leaves the client with one end of content, at the end`, () => {
      const content = octetsOf(`a${sequence}${vectors.followup}`);
      const sent = text(encodeDots(content));
      assertEquals(sent.indexOf("\r\n.\r\n"), sent.length - 5);
      assert(!/\r(?!\n)|(?<!\r)\n/.test(sent));
      for (let at = 0; at <= content.length; at++) assertEquals(encode(cut(content, [at])), sent);
    });
  }

  for (const sequence of [...vectors.eod, ...Object.values(vectors.edge)]) {
    it(`${JSON.stringify(sequence)} ends the content, wherever it is cut`, () => {
      const all = octetsOf(`a${sequence}`);
      for (let at = 0; at <= all.length; at++) assert(decode(cut(all, [at])).done);
    });
  }
});
