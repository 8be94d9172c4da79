import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { toOctets } from "../../../../components/lib/octets.ts";
import {
  checkJournal,
  type InLayout,
  type JournalView,
  type KeptNumber,
} from "../../../../components/lib/queue/journal/check.ts";
import { markBytes, putMark, putRecord } from "../../../../components/lib/queue/journal/record.ts";

const goodEnvelope = "u0\0p1\0Famy@a.example\0Tbob@b.example\0";
const generation = 101;

interface Sketch {
  readonly id: number;
  readonly done?: boolean;
  readonly envelope?: string;
}

/** A segment of one turn with these records, serials from 101 on, and its marks. */
function segmentOf(records: readonly Sketch[]): { octets: Uint8Array; marks: Uint8Array; ends: number[] } {
  const octets = new Uint8Array(4096);
  const marks = new Uint8Array(16 * markBytes);
  let at = 0;
  const ends = records.map(({ id, done = false, envelope = goodEnvelope }, index) => {
    const head = { generation, serial: generation + index, id, birthSeconds: 1 };
    at = putRecord(octets, at, head, toOctets(envelope), [toOctets("Subject: x\n\nhello\n")]);
    if (done) putMark(marks, index, generation);
    return at;
  });
  return { octets, marks, ends };
}

const kept = (id: number, more: Partial<KeptNumber> = {}): KeptNumber => ({
  ...{ name: `kept.${id}`, id, links: 1 },
  ...more,
});

interface Journal {
  readonly segments?: ReadonlyMap<number, Uint8Array>;
  readonly marks?: ReadonlyMap<number, Uint8Array>;
  readonly numbers?: readonly KeptNumber[];
  readonly layout?: ReadonlyMap<number, InLayout>;
}

function viewOf({ segments = new Map(), marks = new Map(), numbers = [], layout = new Map() }: Journal): JournalView {
  return {
    segments: segments.keys(),
    sideFiles: marks.keys(),
    readSegment: (number) => segments.get(number),
    readMarks: (number) => marks.get(number),
    numbers,
    inLayout: (id) => layout.get(id) ?? { mess: false, todo: false },
  };
}

/** `kind path`, a note with a "?" in front. */
function found(journal: Journal, writing = false): string[] {
  return checkJournal(viewOf(journal), { writing }).findings.map(({ kind, path, note }) =>
    `${note === true ? "?" : ""}${kind} ${path}`
  );
}

const { octets, marks, ends } = segmentOf([{ id: 7 }, { id: 8, done: true }, { id: 9 }]);
const whole: Journal = {
  segments: new Map([[1, octets]]),
  marks: new Map([[1, marks]]),
  numbers: [kept(7), kept(8), kept(9), kept(10)],
};

function damaged(at: number): Uint8Array {
  const copy = octets.slice();
  copy[at]! ^= 1;
  return copy;
}

describe("checkJournal()", () => {
  const rows: readonly { readonly name: string; readonly journal: Journal; readonly want: readonly string[] }[] = [
    { name: "no journal", journal: {}, want: [] },
    { name: "a whole one", journal: whole, want: [] },
    {
      name: "a segment that was never written to",
      journal: { segments: new Map([[1, new Uint8Array(64)]]), marks: new Map([[1, marks]]) },
      want: [],
    },
    { name: "a segment without a side file", journal: { ...whole, marks: new Map() }, want: ["no-marks journal/1"] },
    {
      name: "a side file that is too short",
      journal: { ...whole, marks: new Map([[1, marks.subarray(0, 2 * markBytes)]]) },
      want: ["no-marks journal/1"],
    },
    {
      name: "a side file of no whole marks",
      journal: { ...whole, marks: new Map([[1, marks.subarray(0, 3 * markBytes + 1)]]) },
      want: ["no-marks journal/1"],
    },
    {
      name: "a side file without a segment",
      journal: { ...whole, marks: new Map([[1, marks], [2, marks]]) },
      want: ["no-segment journal/2.done"],
    },
    {
      name: "a damaged record with whole ones behind it",
      journal: { ...whole, segments: new Map([[1, damaged(ends[0]! + 60)]]) },
      want: ["damaged-record journal/1"],
    },
    {
      name: "a damaged last record, which nobody was told is taken",
      journal: { ...whole, segments: new Map([[1, damaged(ends[1]! + 60)]]) },
      want: [],
    },
    {
      name: "an envelope that is none",
      journal: {
        segments: new Map([[1, segmentOf([{ id: 7, envelope: "u0\0p1\0" }]).octets]]),
        marks: new Map([[1, marks]]),
        numbers: [kept(7)],
      },
      want: ["format journal/1"],
    },
    {
      name: "an envelope that is none, of a record that is done",
      journal: {
        segments: new Map([[1, segmentOf([{ id: 7, envelope: "u0\0p1\0" }]).octets]]),
        marks: new Map([[1, segmentOf([{ id: 7, done: true }]).marks]]),
      },
      want: [],
    },
    {
      name: "two records of one number",
      journal: {
        segments: new Map([[1, segmentOf([{ id: 7 }, { id: 7 }]).octets]]),
        marks: new Map([[1, segmentOf([]).marks]]),
        numbers: [kept(7)],
      },
      want: ["shared-number journal/1"],
    },
    {
      name: "a record whose number is not kept",
      journal: { ...whole, numbers: [kept(7)] },
      want: ["?renumber journal/1"],
    },
    {
      name: "a kept number with a second name",
      journal: { ...whole, numbers: [...whole.numbers!, kept(11, { links: 2 })] },
      want: ["kept-number journal/numbers/kept.11"],
    },
  ];
  for (const { name, journal, want } of rows) {
    it(`finds ${want.length === 0 ? "nothing" : want.join(", ")} in ${name}`, () => assertEquals(found(journal), want));
  }

  const moving: Journal = {
    ...whole,
    numbers: [kept(7, { links: 2 }), kept(9)],
    layout: new Map([[7, { mess: true, todo: true }]]),
  };

  it("notes a move that a dead qmail-queue left, which the next one finishes", () =>
    assertEquals(found(moving), ["?unfinished-move journal/1", "?kept-number journal/numbers/kept.7"]));

  it("finds a move that does not end, while a qmail-queue runs", () =>
    assertEquals(found(moving, true), ["unfinished-move journal/1", "kept-number journal/numbers/kept.7"]));

  describe("of a message whose text stands in mess", () => {
    const { octets, marks } = segmentOf([{ id: 7, envelope: `M20\0${goodEnvelope}` }]);
    const journalWith = (mess: boolean, todo: boolean): Journal => ({
      segments: new Map([[1, octets]]),
      marks: new Map([[1, marks]]),
      layout: new Map([[7, { mess, todo }]]),
    });

    it("wants no kept number, and names the message", () => {
      const look = checkJournal(viewOf(journalWith(true, false)), { writing: true });
      assertEquals([look.findings, [...look.inMess]], [[], [7]]);
    });

    it("finds that the text is not there: with nobody there a note, for it may be done", () => {
      assertEquals(found(journalWith(false, false)), ["?no-text journal/1"]);
      assertEquals(found(journalWith(false, false), true), ["no-text journal/1"]);
    });

    it("notes a move that a dead qmail-queue left", () =>
      assertEquals(found(journalWith(true, true)), ["?unfinished-move journal/1"]));
  });

  it("throws at no octets, wherever they are damaged", () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(octets.length - 1), fc.nat(255))), fc.uint8Array(), (changes, anyMarks) => {
        const copy = octets.slice();
        for (const [at, octet] of changes) copy[at] = octet;
        found({ ...whole, segments: new Map([[1, copy], [2, anyMarks]]), marks: new Map([[1, anyMarks], [2, copy]]) });
      }),
    ));
});
