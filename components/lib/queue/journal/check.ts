/**
 * Whether a journal is what it should be: segments with their side files, records with envelopes in their format, and
 * numbers that are kept for them. Decides over what somebody else has read, segment by segment; keeps one small object
 * for each record that is not done.
 * @module
 */
import type { Finding, FindingKind } from "../check.ts";
import { parseTodo } from "../envelope.ts";
import { foreignDefect, isMarked, markBytes, parseRecord, recordsOf } from "./record.ts";

/** A file that keeps a number, as it lies in journal/numbers. */
export interface KeptNumber {
  readonly name: string;
  /** Its inode: the number. */
  readonly id: number;
  readonly links: number;
}

/** What there is of a message in qmail's layout. */
export interface InLayout {
  readonly mess: boolean;
  readonly todo: boolean;
}

export interface JournalView {
  /** Segments there are, with or without a side file. */
  readonly segments: Iterable<number>;
  /** Side files there are. */
  readonly sideFiles: Iterable<number>;
  /** Undefined: it has gone. */
  readSegment(number: number): Uint8Array | undefined;
  readMarks(number: number): Uint8Array | undefined;
  readonly numbers: Iterable<KeptNumber>;
  inLayout(id: number): InLayout;
}

interface Live {
  readonly serial: number;
  readonly id: number;
  readonly path: string;
  /** Whether its text stands in mess. */
  readonly inMess: boolean;
}

/** What a look at a journal finds. */
export interface JournalLook {
  readonly findings: readonly Finding[];
  /** The numbers of messages whose text stands in mess, and whose envelope in the journal. */
  readonly inMess: ReadonlySet<number>;
}

/** The first octets of a record, "dqj1". */
const magic = [0x64, 0x71, 0x6a, 0x31] as const;
/** Where in a record its generation stands: the first one, at the segment's beginning, has the present turn's. */
const generationAt = 16;

/**
 * All that is wrong, and as notes what the next qmail-queue puts right by itself. `writing`: a qmail-queue runs, then
 * what a move leaves on its way is a finding as well: it stands only for a moment, so look again.
 */
export function checkJournal(view: JournalView, { writing }: { readonly writing: boolean }): JournalLook {
  const check = new JournalCheck(view, writing);
  check.takeSegments();
  check.takeNumbers();
  return check;
}

class JournalCheck implements JournalLook {
  readonly findings: Finding[] = [];
  readonly inMess = new Set<number>();
  readonly #view: JournalView;
  readonly #writing: boolean;
  readonly #live = new Map<number, Live>();

  constructor(view: JournalView, writing: boolean) {
    this.#view = view;
    this.#writing = writing;
  }

  takeSegments(): void {
    const segments = new Set(this.#view.segments);
    const sideFiles = new Set(this.#view.sideFiles);
    for (const number of sideFiles) {
      if (!segments.has(number)) {
        this.#find("no-segment", `journal/${number}.done`, "done marks of a segment that is not there");
      }
    }
    for (const number of segments) this.#takeSegment(number);
  }

  #takeSegment(number: number): void {
    const path = `journal/${number}`;
    const octets = this.#view.readSegment(number);
    if (octets === undefined) return;
    const marks = this.#view.readMarks(number);
    const foreign = foreignDefect(octets);
    if (foreign !== undefined) return this.#find("format", path, foreign);
    let [end, serial, generation, records] = [0, 0, 0, 0];
    for (const { record, offset, index } of recordsOf(octets)) {
      end = offset + record.bytes;
      ({ serial, generation } = record);
      records++;
      if (marks !== undefined && isMarked(marks, index, generation)) continue;
      this.#takeLive({ serial, id: record.id, path, inMess: record.messBytes !== undefined });
      const envelope = parseTodo(record.envelope);
      if (!envelope.ok) this.#find("format", path, `record ${serial}: ${envelope.error}`, { id: record.id });
    }
    const behind = recordsBehind(octets, end, { serial, generation });
    if (behind !== undefined) {
      this.#find(
        "damaged-record",
        path,
        `the record at ${end} is damaged, and there is a whole one behind it, at ${behind}`,
      );
    }
    const defect = marksDefect(marks, records);
    if (defect !== undefined) this.#find("no-marks", path, defect);
  }

  #takeLive(live: Live): void {
    const { serial, id, path, inMess } = live;
    const other = this.#live.get(id);
    if (other !== undefined) {
      this.#find("shared-number", path, `record ${serial} has the number of record ${other.serial}`, { id });
      return;
    }
    this.#live.set(id, live);
    const { mess, todo } = this.#view.inLayout(id);
    if (inMess) this.inMess.add(id);
    if (inMess && !mess) {
      this.#find("no-text", path, `record ${serial} is not done, and its text is not in mess`, {
        id,
        note: !this.#writing,
      });
    }
    if (!mess || inMess && !todo) return;
    const detail = todo
      ? `record ${serial} is not done, and its message stands in todo`
      : `record ${serial} is not done, and there is a mess file of its number`;
    this.#find("unfinished-move", path, detail, { id, note: !this.#writing });
  }

  takeNumbers(): void {
    const kept = new Set<number>();
    for (const { name, id, links } of this.#view.numbers) {
      kept.add(id);
      // Whatever it holds: a move that came to nothing leaves its text, and the next one empties it.
      if (links === 1) continue;
      const live = this.#live.get(id);
      const detail = `keeps a number, but has ${links} names, not one`;
      this.#find("kept-number", `journal/numbers/${name}`, detail, { id, note: live !== undefined && !this.#writing });
    }
    for (const { id, serial, path, inMess } of this.#live.values()) {
      if (inMess || kept.has(id)) continue;
      this.#find("renumber", path, `record ${serial}: its number is not kept, the next qmail-queue gives it another`, {
        id,
        note: true,
      });
    }
  }

  #find(kind: FindingKind, path: string, detail: string, { id, note }: { id?: number; note?: boolean } = {}): void {
    this.findings.push({
      ...{ kind, path, detail },
      ...(id === undefined ? {} : { id }),
      ...(note === true ? { note: true as const } : {}),
    });
  }
}

function marksDefect(marks: Uint8Array | undefined, records: number): string | undefined {
  if (marks === undefined) return "has no side file: whether its records are done is not known";
  if (marks.length === 0 || marks.length % markBytes !== 0 || marks.length < records * markBytes) {
    return `its side file has ${marks.length} bytes, ${records} records want ${markBytes} each`;
  }
  return undefined;
}

/** Where behind `end` the first whole record of the same turn stands, if there is one: what is between was one, too. */
function recordsBehind(
  octets: Uint8Array,
  end: number,
  { serial, generation }: { readonly serial: number; readonly generation: number },
): number | undefined {
  // Before the first whole record of a segment nobody knows which turn is the present one.
  if (serial === 0) return undefined;
  // Looked at first: to sum up whatever calls itself a record in old mail could take for ever.
  const turn = octets.subarray(generationAt, generationAt + 8);
  for (let at = octets.indexOf(magic[0], end); at >= 0; at = octets.indexOf(magic[0], at + 1)) {
    if (magic.some((octet, n) => octets[at + n] !== octet)) continue;
    if (turn.some((octet, n) => octets[at + generationAt + n] !== octet)) continue;
    const record = parseRecord(octets, at);
    if (record !== undefined && record.generation === generation && record.serial > serial) return at;
  }
  return undefined;
}
