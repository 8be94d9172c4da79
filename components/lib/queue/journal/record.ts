/**
 * One record of the journal: a small message with its envelope, or the envelope of a larger one. Layout, numbers
 * big-endian, whole numbers of 8 octets below 2^53:
 *
 * ```text
 * 0  "dqj1"   4  CRC-32 of all that follows   8  length of the record   12  length of the envelope
 * 16 generation of the segment   24 serial   32 the message's number   40 birth, seconds since 1970
 * 48 the envelope: "M", octets of the whole text in decimal, NUL (only where the text stands in mess); "O", what the client
 *    asked for beside it, NUL (only where it asked for something); then as in todo
 *    then the content; of a text in mess its beginning, which tells it from the text of a later message of that number
 * ```
 *
 * A program that knows nothing of the "M" or the "O" finds an envelope it cannot read, and leaves the message where it is.
 *
 * Records of another layout have another digit in the beginning. A segment whose first one has is read by nobody here: what
 * follows would be taken for damage, and written over. Only of the first, for what is behind the last record of a turn may be
 * anything, a message's content too.
 *
 * A segment is written over again and again. Its generation, the serial of its first record, tells the records of this
 * turn from what is left of an earlier one; serials never come back.
 * @module
 */
import { fromOctets, toOctets } from "../../octets.ts";
import { nodeZlib } from "../../process/builtin.ts";

export const headBytes = 48;
/** "dqj1". */
const magic = 0x64716a31;
const two32 = 2 ** 32;

export interface RecordHead {
  readonly generation: number;
  readonly serial: number;
  /** The message's number: the inode kept for its mess file. */
  readonly id: number;
  readonly birthSeconds: number;
}

export interface JournalRecord extends RecordHead {
  /** Octets of the whole record. */
  readonly bytes: number;
  /** As in todo. */
  readonly envelope: Uint8Array;
  /** As formatMessageOptions() writes them; absent where the client asked for nothing. */
  readonly options: Uint8Array | undefined;
  /** Octets of the whole text, where that stands in mess and {@link content} is its beginning; else undefined. */
  readonly messBytes: number | undefined;
  readonly content: Uint8Array;
}

const [nul, letterM, letterO] = [0, 0x4d, 0x4f];

/** What goes into a record beside the envelope. */
export interface Beside {
  /** As formatMessageOptions() writes them: without NUL. */
  readonly options: Uint8Array | undefined;
  readonly messBytes: number | undefined;
}

/** The part of a record that {@link putRecord} takes as its envelope. */
export function envelopePart(envelope: Uint8Array, { options, messBytes }: Beside): Uint8Array {
  const inMess = messBytes === undefined ? undefined : toOctets(String(messBytes));
  return withField(letterM, inMess, withField(letterO, options, envelope));
}

function withField(letter: number, octets: Uint8Array | undefined, rest: Uint8Array): Uint8Array {
  if (octets === undefined) return rest;
  const part = new Uint8Array(octets.length + 2 + rest.length);
  part[0] = letter;
  part.set(octets, 1);
  part.set(rest, octets.length + 2);
  return part;
}

/** Inverse of {@link envelopePart}. */
function splitEnvelope(part: Uint8Array): Pick<JournalRecord, "envelope" | "options" | "messBytes"> {
  const [inMess, rest] = fieldOf(letterM, part);
  const [options, envelope] = fieldOf(letterO, rest);
  return { envelope, options, messBytes: inMess && Number(fromOctets(inMess)) };
}

/** Inverse of {@link withField}. */
function fieldOf(letter: number, part: Uint8Array): [Uint8Array | undefined, Uint8Array] {
  const end = part[0] === letter ? part.indexOf(nul) : -1;
  return end < 0 ? [undefined, part] : [part.subarray(1, end), part.subarray(end + 1)];
}

function putNumber(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / two32));
  view.setUint32(at + 4, value % two32);
}

function getNumber(view: DataView, at: number): number {
  return view.getUint32(at) * two32 + view.getUint32(at + 4);
}

/** Octets a record of these parts takes. */
export function recordBytes(envelope: Uint8Array, content: readonly Uint8Array[]): number {
  return headBytes + envelope.length + content.reduce((sum, part) => sum + part.length, 0);
}

/** Writes a record into `target` from `at` on; answers where it ends. */
export function putRecord(
  target: Uint8Array,
  at: number,
  head: RecordHead,
  envelope: Uint8Array,
  content: readonly Uint8Array[],
): number {
  const view = new DataView(target.buffer, target.byteOffset + at);
  let end = at + headBytes;
  for (const part of [envelope, ...content]) {
    target.set(part, end);
    end += part.length;
  }
  view.setUint32(0, magic);
  view.setUint32(8, end - at);
  view.setUint32(12, envelope.length);
  putNumber(view, 16, head.generation);
  putNumber(view, 24, head.serial);
  putNumber(view, 32, head.id);
  putNumber(view, 40, head.birthSeconds);
  view.setUint32(4, nodeZlib().crc32(target.subarray(at + 8, end)));
  return end;
}

/** A segment was written by a version whose records have another layout. */
export class ForeignJournal extends Error {
  override name = "ForeignJournal";
}

/** What is wrong with a segment that was written by a version with another layout of records. */
export function foreignDefect(segment: Uint8Array): string | undefined {
  if (segment.length < headBytes) return undefined;
  const found = new DataView(segment.buffer, segment.byteOffset).getUint32(0);
  if (found === magic || found >>> 8 !== magic >>> 8) return undefined;
  const digit = String.fromCharCode(found & 0x7f).replace(/[^!-~]/, "?");
  return `the journal was written by another version of dqmail (its records are "dqj${digit}", not "dqj1"): ` +
    "start that version, or have it drain the journal first";
}

/** The whole, undamaged record that begins at `at`, or undefined. Its parts are views of `octets`. */
export function parseRecord(octets: Uint8Array, at = 0): JournalRecord | undefined {
  if (octets.length - at < headBytes) return undefined;
  const view = new DataView(octets.buffer, octets.byteOffset + at);
  const bytes = view.getUint32(8);
  const envelopeEnd = headBytes + view.getUint32(12);
  if (view.getUint32(0) !== magic || bytes > octets.length - at || envelopeEnd > bytes) return undefined;
  const record = octets.subarray(at, at + bytes);
  if (nodeZlib().crc32(record.subarray(8)) !== view.getUint32(4)) return undefined;
  return {
    generation: getNumber(view, 16),
    serial: getNumber(view, 24),
    id: getNumber(view, 32),
    birthSeconds: getNumber(view, 40),
    bytes,
    ...splitEnvelope(record.subarray(headBytes, envelopeEnd)),
    content: record.subarray(envelopeEnd),
  };
}

/** A record with its place in the segment. */
export interface PlacedRecord {
  readonly record: JournalRecord;
  readonly offset: number;
  /** It is the n-th of its segment, from 0. */
  readonly index: number;
}

/**
 * The records of a segment's present turn. Ends at the first that is damaged, older, or of another turn: everything
 * behind it was never acknowledged, for a sync covers all that was written before it began. Throws ForeignJournal.
 */
export function* recordsOf(segment: Uint8Array): Generator<PlacedRecord, void, undefined> {
  const defect = foreignDefect(segment);
  if (defect !== undefined) throw new ForeignJournal(defect);
  let offset = 0;
  let serial = 0;
  let generation: number | undefined;
  for (let index = 0;; index++) {
    const record = parseRecord(segment, offset);
    if (record === undefined || record.serial <= serial) return;
    generation ??= record.serial;
    if (record.generation !== generation) return;
    yield { record, offset, index };
    serial = record.serial;
    offset += record.bytes;
  }
}

/** Octets of one done mark in a segment's side file: the n-th is the n-th record's. */
export const markBytes = 8;

/** Says in `marks` that record `index` of the turn `generation` is done. */
export function putMark(marks: Uint8Array, index: number, generation: number): void {
  putNumber(new DataView(marks.buffer, marks.byteOffset), index * markBytes, generation);
}

/** The generation that the mark of record `index` names: 0 where there is none, or what no turn can have been. */
function markOf(marks: Uint8Array, index: number): number {
  const at = index * markBytes;
  const generation = at + markBytes > marks.length ? 0 : getNumber(new DataView(marks.buffer, marks.byteOffset), at);
  return Number.isSafeInteger(generation) ? generation : 0;
}

/**
 * Whether `marks` says so. An earlier turn's mark does not count; a later one's does, for a turn begins when everything
 * in the one before is done, and its records may be lost with the power though marks for them are not.
 */
export function isMarked(marks: Uint8Array, index: number, generation: number): boolean {
  return markOf(marks, index) >= generation;
}

/** The last turn that `marks` know of. */
export function lastMarked(marks: Uint8Array): number {
  let last = 0;
  for (let index = 0; index * markBytes < marks.length; index++) last = Math.max(last, markOf(marks, index));
  return last;
}
