import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { encodeFrame, type Frame, FrameError, FrameReader } from "../../../components/lib/wire/frame.ts";
import { bytes, cut } from "../octets.ts";

const limit = 4096;

function read(chunks: readonly Uint8Array[], maxBytes = limit): Frame[] {
  const reader = new FrameReader(maxBytes);
  return chunks.flatMap((chunk) => reader.push(chunk));
}

/** Frame octets with a head given as text. */
function raw(
  head: string,
  body = "",
  { headBytes = head.length, total = 4 + head.length + body.length } = {},
): Uint8Array {
  const frame = bytes(`${"\0".repeat(8)}${head}${body}`);
  new DataView(frame.buffer).setUint32(0, total);
  new DataView(frame.buffer).setUint32(4, headBytes);
  return frame;
}

/** Plain copies, to compare by value. */
const plain = (frames: readonly Frame[]) => frames.map(({ head, body }) => ({ head, body: [...body] }));

const anyHead = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }).map((head) =>
  JSON.parse(JSON.stringify(head))
);
const anyBody = fc.uint8Array({ maxLength: 300 });

describe("encodeFrame() and FrameReader", () => {
  it("write big-endian lengths, a head of JSON and the body as it is", () => {
    assertEquals(encodeFrame({ a: 1 }, bytes("x\0")), bytes('\0\0\0\x0d\0\0\0\x07{"a":1}x\0'));
  });

  it("give back every frame, wherever chunks are cut", () => {
    const anyFrames = fc.array(fc.tuple(anyHead, anyBody), { maxLength: 6 });
    fc.assert(fc.property(anyFrames, fc.array(fc.nat(10_000)), (frames, places) => {
      const all = bytes(frames.map(([head, body]) => String.fromCharCode(...encodeFrame(head, body))).join(""));
      const want = frames.map(([head, body]) => ({ head, body: [...body] }));
      assertEquals(plain(read(cut(all, places), 1_000_000)), want);
      assertEquals(plain(read(Array.from(all, (octet) => Uint8Array.of(octet)), 1_000_000)), want);
    }));
  });

  it("keep octet strings as they are", () => {
    const every = String.fromCharCode(...Array(256).keys());
    assertEquals(read([encodeFrame({ every })])[0]?.head, { every });
  });

  it("copy the body, so that its memory may be used again", () => {
    const body = bytes("abc");
    const frame = encodeFrame({}, body);
    body.fill(0);
    assertEquals(read([frame])[0]?.body, bytes("abc"));
  });

  it("take a name such as __proto__ for a field like any other", () => {
    const frame = read([raw('{"__proto__":{"op":"evil"},"constructor":1}')])[0]!;
    assertEquals(frame.head["op"], undefined);
    assertEquals(Object.keys(frame.head), ["__proto__", "constructor"]);
    assertEquals(({} as Record<string, unknown>)["op"], undefined);
  });
});

describe("FrameReader", () => {
  it("says whether a frame has begun", () => {
    const reader = new FrameReader(limit);
    const frame = raw("{}", "body");
    assert(!reader.partial);
    assertEquals(reader.push(frame.subarray(0, 3)), []);
    assert(reader.partial);
    assertEquals(reader.push(frame.subarray(3)).length, 1);
    assert(!reader.partial);
  });

  it("may be given the same memory again and again", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyHead, anyBody), { maxLength: 6 }), fc.array(fc.nat(3000)), (frames, places) => {
        const all = bytes(frames.map(([head, body]) => String.fromCharCode(...encodeFrame(head, body))).join(""));
        const memory = new Uint8Array(all.length);
        const reader = new FrameReader(1_000_000);
        const got = cut(all, places).flatMap((chunk) => {
          memory.fill(0xff).set(chunk);
          return reader.push(memory.subarray(0, chunk.length));
        });
        memory.fill(0xff);
        assertEquals(plain(got), frames.map(([head, body]) => ({ head, body: [...body] })));
      }),
    );
  });

  it("lends bodies, each as it should be until the next call", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyHead, anyBody), { maxLength: 6 }), fc.array(fc.nat(3000)), (frames, places) => {
        const all = bytes(frames.map(([head, body]) => String.fromCharCode(...encodeFrame(head, body))).join(""));
        const reader = new FrameReader(1_000_000, { lendsBodies: true });
        const got = cut(all, places).flatMap((chunk) => plain(reader.push(chunk.slice())));
        assertEquals(got, frames.map(([head, body]) => ({ head, body: [...body] })));
      }),
    );
  });

  it("lends the same memory to one frame in parts after the other", () => {
    const reader = new FrameReader(limit, { lendsBodies: true });
    const lent = ["first", "other"].map((body) => {
      const frame = raw("{}", body);
      assertEquals(reader.push(frame.subarray(0, 9)), []);
      const [{ body: got } = { body: bytes("") }] = reader.push(frame.subarray(9));
      assertEquals(got, bytes(body));
      return got;
    });
    assertEquals(lent[0]!.buffer, lent[1]!.buffer);
  });

  const refusals: { claim: string; octets: Uint8Array }[] = [
    { claim: "a frame over the limit, before its octets are there", octets: bytes("\0\0\x10\x01") },
    { claim: "a frame of 4 GiB", octets: bytes("\xff\xff\xff\xff") },
    { claim: "a frame too short for a head's length", octets: bytes("\0\0\0\x03abc") },
    { claim: "a head longer than its frame", octets: raw("{}", "", { headBytes: 3 }) },
    { claim: "a head of 4 GiB", octets: raw("{}", "", { headBytes: 2 ** 32 - 1 }) },
    { claim: "an empty head", octets: raw("") },
    { claim: "a head that is no JSON", octets: raw("{a:1}") },
    { claim: "a head cut in the middle", octets: raw('{"a":1}', "", { headBytes: 6 }) },
    { claim: "a list as head", octets: raw("[]") },
    { claim: "null as head", octets: raw("null") },
    { claim: "a string as head", octets: raw('"x"') },
    { claim: "a number as head", octets: raw("1") },
    { claim: "a head that is no UTF-8", octets: raw('{"a":"\xff"}') },
    { claim: "an HTTP request", octets: bytes("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n") },
    { claim: "an SMTP command", octets: bytes("EHLO a.example\r\n") },
  ];
  for (const { claim, octets } of refusals) {
    it(`refuses ${claim}`, () => assert(assertThrows(() => read([octets])) instanceof FrameError));
  }

  it("refuses a head nested too deep for the parser, or takes it, and throws nothing else", () => {
    const deep = raw(`{"a":${"[".repeat(500_000)}${"]".repeat(500_000)}}`);
    try {
      assertEquals(read([deep], 2_000_000).length, 1);
    } catch (error) {
      assert(error instanceof FrameError);
    }
  });

  it("makes frames or a FrameError of any octets, and nothing else", () => {
    const anyNoise = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom(raw("{}"), raw('{"op":1}', "xy"), bytes("\0\0\0\x06\0\0")),
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(anyNoise, (chunks) => {
        try {
          for (const { head, body } of read(chunks)) {
            assert(typeof head === "object" && !Array.isArray(head) && body.length <= limit);
          }
        } catch (error) {
          if (!(error instanceof FrameError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});
