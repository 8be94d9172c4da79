import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { concat } from "../../../../components/lib/wire/frame.ts";
import {
  envelopePart,
  ForeignJournal,
  headBytes,
  isMarked,
  lastMarked,
  markBytes,
  parseRecord,
  putMark,
  putRecord,
  recordBytes,
  type RecordHead,
  recordsOf,
} from "../../../../components/lib/queue/journal/record.ts";
import { fromOctets, toOctets } from "../../../../components/lib/octets.ts";

const nothing = new Uint8Array();
const head: RecordHead = { generation: 7, serial: 7, id: 1000, birthSeconds: 1_795_333_684 };

/** A record's octets. */
function record(fields: Partial<RecordHead> = {}, envelope = toOctets("u0\0p1\0F\0"), content = toOctets("hello\n")) {
  const octets = new Uint8Array(recordBytes(envelope, [content]));
  putRecord(octets, 0, { ...head, ...fields }, envelope, [content]);
  return octets;
}

const segment = (...parts: readonly Uint8Array[]) => {
  const octets = new Uint8Array(1000);
  octets.set(concat(parts, parts.reduce((sum, part) => sum + part.length, 0)));
  return octets;
};
const serialsOf = (octets: Uint8Array) => [...recordsOf(octets)].map(({ record: { serial } }) => serial);

describe("putRecord()", () => {
  it("writes what the table of its module says", () => {
    const octets = record();
    const view = new DataView(octets.buffer, octets.byteOffset);
    assertEquals(String.fromCharCode(...octets.subarray(0, 4)), "dqj1");
    assertEquals([8, 12].map((at) => view.getUint32(at)), [octets.length, 8]);
    assertEquals([16, 24, 32, 40].map((at) => Number(view.getBigUint64(at))), [7, 7, 1000, 1_795_333_684]);
    assertEquals(fromOctets(octets.subarray(headBytes)), "u0\0p1\0F\0hello\n");
  });
});

const anyNumber = fc.maxSafeNat();
const anyHead = fc.record({ generation: anyNumber, serial: anyNumber, id: anyNumber, birthSeconds: anyNumber });
const anyParts = fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 4 });
/** As in todo: its first record is the uid. */
const anyEnvelope = fc.uint8Array().map((octets) => concat([toOctets("u"), octets], 1 + octets.length));
const anyOptions = fc.option(fc.uint8Array({ min: 1, max: 255 }), { nil: undefined });
const anyMessBytes = fc.option(anyNumber, { nil: undefined });

describe("parseRecord()", () => {
  it("is the inverse of putRecord(), wherever the record begins", () => {
    fc.assert(
      fc.property(
        ...[anyHead, anyEnvelope, anyOptions, anyMessBytes, anyParts, fc.nat(50), fc.nat(50)] as const,
        (fields, envelope, options, messBytes, parts, at, rest) => {
          const part = envelopePart(envelope, { options, messBytes });
          const bytes = recordBytes(part, parts);
          const octets = new Uint8Array(at + bytes + rest).fill(0xff).subarray(Math.min(at, 3));
          const begin = at - Math.min(at, 3);
          assertEquals(putRecord(octets, begin, fields, part, parts), begin + bytes);
          const parsed = parseRecord(octets, begin)!;
          const content = concat(parts, parts.reduce((sum, part) => sum + part.length, 0));
          assertEquals({ ...parsed }, { ...fields, bytes, envelope, options, messBytes, content });
        },
      ),
    );
  });

  it("finds in a record with nothing beside the envelope what it always found: nothing of it has changed on the disk", () => {
    const { envelope, options, messBytes, content } = parseRecord(record())!;
    assertEquals([fromOctets(envelope), fromOctets(content)], ["u0\0p1\0F\0", "hello\n"]);
    assertEquals([options, messBytes], [undefined, undefined]);
  });

  it("keeps what is beside the envelope in front of it, in this form", () => {
    const beside = { options: toOctets("RET HDRS"), messBytes: 1_048_576 };
    assertEquals(fromOctets(envelopePart(toOctets("u0\0"), beside)), "M1048576\0ORET HDRS\0u0\0");
  });

  it("knows no record of which an octet has changed", () => {
    const octets = record();
    fc.assert(fc.property(fc.nat(octets.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = octets.slice();
      changed[at]! ^= change;
      assertEquals(parseRecord(changed), undefined);
    }));
  });

  it("knows no record of which the end is missing, or other octets stand there", () => {
    const octets = record();
    for (let length = 0; length < octets.length; length++) {
      assertEquals(parseRecord(octets.subarray(0, length)), undefined);
      assertEquals(parseRecord(segment(octets.subarray(0, length))), undefined);
    }
  });

  it("throws at no octets", () => {
    fc.assert(fc.property(fc.uint8Array(), fc.nat(20), (octets, at) => {
      assertEquals(parseRecord(octets, at), undefined);
      const begun = segment(toOctets("dqj1"), octets);
      assertEquals(parseRecord(begun), undefined);
    }));
  });
});

describe("recordsOf()", () => {
  it("refuses a segment of another version, whose records it would take for damage", () => {
    for (const digit of ["2", "9", "\xff"]) {
      const octets = segment(record());
      octets.set(toOctets(digit), 3);
      assert(assertThrows(() => serialsOf(octets)) instanceof ForeignJournal);
    }
  });

  it("takes what is behind the records of its own version for nothing, whatever it looks like", () => {
    assertEquals(serialsOf(segment(record(), toOctets("dqj2".repeat(40)))), [7]);
    assertEquals(serialsOf(segment(toOctets("dqk1".repeat(40)))), []);
    assertEquals(serialsOf(segment()), []);
  });

  const next = record({ serial: 8 });
  const torn = next.slice();
  torn[60]! ^= 1;
  const rows = [
    { claim: "none in a segment of zeros", octets: segment(), want: [] },
    { claim: "all that follow one another", octets: segment(record(), next, record({ serial: 12 })), want: [7, 8, 12] },
    { claim: "those before a torn one", octets: segment(record(), torn, record({ serial: 9 })), want: [7] },
    { claim: "none behind a torn first one", octets: segment(torn, record({ serial: 9 })), want: [] },
    {
      claim: "those before an older turn's",
      octets: segment(record(), record({ generation: 3, serial: 9 })),
      want: [7],
    },
    {
      claim: "those before a newer turn's",
      octets: segment(record(), record({ generation: 9, serial: 9 })),
      want: [7],
    },
    { claim: "those before a serial that does not rise", octets: segment(record(), record(), next), want: [7] },
    { claim: "none where the first does not begin its turn", octets: segment(next, record({ serial: 9 })), want: [] },
  ];
  for (const { claim, octets, want } of rows) it(`finds ${claim}`, () => assertEquals(serialsOf(octets), want));

  it("says where each stands", () => {
    const [first, second] = [...recordsOf(segment(record(), next))];
    assertEquals([first?.offset, first?.index], [0, 0]);
    assertEquals([second?.offset, second?.index], [record().length, 1]);
  });

  it("finds those of the new turn alone, wherever it has come to in the old one", () => {
    const one = fc.record({ serial: fc.nat(100), size: fc.nat(60) });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 6 }), fc.array(one, { minLength: 1, maxLength: 6 }), (before, after) => {
        const turn = (first: number, sizes: readonly { size: number }[]) =>
          sizes.map(({ size }, at) => record({ generation: first, serial: first + at }, nothing, new Uint8Array(size)));
        const octets = segment(...turn(1000, before));
        let at = 0;
        for (const part of turn(2000, after)) {
          octets.set(part, at);
          at += part.length;
        }
        assertEquals(serialsOf(octets), after.map((_, n) => 2000 + n));
      }),
    );
  });
});

describe("done marks", () => {
  it("count for their record and turn, and for earlier turns, which were over", () => {
    const marks = new Uint8Array(4 * markBytes);
    putMark(marks, 2, 7);
    const marked = (generation: number) => [0, 1, 2, 3, 4].map((index) => isMarked(marks, index, generation));
    assertEquals(marked(7), [false, false, true, false, false]);
    assertEquals(marked(6), [false, false, true, false, false]);
    assertEquals(marked(8), [false, false, false, false, false]);
    assertEquals(lastMarked(marks), 7);
  });

  it("are none where no turn can have the number that stands there", () => {
    const marks = new Uint8Array(markBytes).fill(0x20);
    assertEquals(isMarked(marks, 0, 7), false);
    assertEquals(lastMarked(marks), 0);
  });

  it("leave each other alone", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(15)), fc.integer({ min: 1, max: 2 ** 53 - 1 }), (indexes, generation) => {
        // As a view of something larger.
        const marks = new Uint8Array(200).subarray(5, 5 + 16 * markBytes);
        for (const index of indexes) putMark(marks, index, generation);
        for (let index = 0; index < 16; index++) {
          assertEquals(isMarked(marks, index, generation), indexes.includes(index));
        }
        assert(lastMarked(marks) === (indexes.length === 0 ? 0 : generation));
      }),
    );
  });
});
