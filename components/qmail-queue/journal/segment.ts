/**
 * One segment of the journal and its side file of done marks, both written in full once and overwritten ever after: an
 * overwrite needs no new block and no new size, so a sync has only the data to write.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import type { Disk, DiskFile } from "../../lib/disk/disk.ts";
import {
  isMarked,
  lastMarked,
  markBytes,
  type PlacedRecord,
  putMark,
  recordsOf,
} from "../../lib/queue/journal/record.ts";
import { journalMarks, journalSegment } from "../../lib/queue/layout.ts";

export interface SegmentSize {
  readonly bytes: number;
  /** Records it may hold: the side file has a mark for each. */
  readonly records: number;
}

/** Octets of zeros written at a time. */
const fillBytes = 1024 * 1024;

export class Segment {
  readonly number: number;
  readonly sizeBytes: number;
  readonly #file: DiskFile;
  readonly #sideFile: DiskFile;
  readonly #marks: Uint8Array;
  /** Part of `#marks` that is not in the side file yet. */
  #unwritten: { from: number; to: number } | undefined;
  /** Turns of the side file's writing, and the last that no power loss takes back. */
  #written = 0;
  #synced = 0;
  #generation = 0;
  #end = 0;
  #records = 0;
  /** Records of this turn that are not done. */
  alive = 0;
  /** Of the records that {@link recover} found, done or not, and of the turns that left only marks; 0 where there was none. */
  lastSerial = 0;
  /** Its records were asked to leave. */
  asked = false;
  /** A write or a sync failed: what it holds may be read, nothing more goes in. */
  broken = false;

  private constructor(number: number, file: DiskFile, sizeBytes: number, sideFile: DiskFile, marks: Uint8Array) {
    this.number = number;
    this.#file = file;
    this.sizeBytes = sizeBytes;
    this.#sideFile = sideFile;
    this.#marks = marks;
  }

  /**
   * Opens segment `number`, making it where it is absent or was not finished; settles when it is on stable storage but
   * for its folder's entry. Throws what the disk says.
   */
  static async open(disk: Disk, home: Home, number: number, size: SegmentSize): Promise<Segment> {
    const file = await openFilled(disk, journalSegment(home, number), size.bytes);
    try {
      const sideFile = await openFilled(disk, journalMarks(home, number), size.records * markBytes);
      const markCount = Math.max(sideFile.sizeBytes, size.records * markBytes);
      const marks = sideFile.readAt(0, markCount);
      return new Segment(number, file, Math.max(file.sizeBytes, size.bytes), sideFile, marks);
    } catch (error) {
      dropUnfinished(disk, journalSegment(home, number), file, size.bytes);
      throw error;
    }
  }

  get generation(): number {
    return this.#generation;
  }

  /** Whether a record of so many octets has room. */
  fits(bytes: number): boolean {
    return !this.broken && this.#end + bytes <= this.sizeBytes && (this.#records + 1) * markBytes <= this.#marks.length;
  }

  /** Whether a next turn may begin: nothing in it is needed, and no power loss would bring it back. */
  get reusable(): boolean {
    return !this.broken && this.alive === 0 && this.#unwritten === undefined && this.#synced === this.#written;
  }

  /** Begins a turn. */
  begin(generation: number): void {
    this.#generation = generation;
    this.#end = 0;
    this.#records = 0;
    this.asked = false;
  }

  /** Takes room for one record: its place. {@link write} must follow in the same order. */
  reserve(bytes: number): { readonly offset: number; readonly index: number } {
    const place = { offset: this.#end, index: this.#records++ };
    this.#end += bytes;
    this.alive++;
    return place;
  }

  write(offset: number, octets: Uint8Array): void {
    this.#file.writeAt(offset, octets);
  }

  sync(): Promise<void> {
    return this.#file.sync();
  }

  syncNow(): void {
    this.#file.syncNow();
  }

  read(offset: number, bytes: number): Uint8Array {
    return this.#file.readAt(offset, bytes);
  }

  /** The records a predecessor left that are not done; after it nothing is written until the next turn. */
  *recover(): Generator<PlacedRecord, void, undefined> {
    // Of those made for a crowd that has not come there may be many.
    const isBlank = this.#file.readAt(0, 4).every((octet) => octet === 0);
    for (const placed of recordsOf(this.#file.readAt(0, isBlank ? 0 : this.sizeBytes))) {
      this.#generation = placed.record.generation;
      this.lastSerial = placed.record.serial;
      this.#records = placed.index + 1;
      if (isMarked(this.#marks, placed.index, this.#generation)) continue;
      this.alive++;
      yield placed;
    }
    this.lastSerial = Math.max(this.lastSerial, lastMarked(this.#marks));
    this.#end = this.sizeBytes;
    // A mark that was written is as good as its record's delivery, but nobody knows whether it would outlive the power.
    this.#written = 1;
  }

  /** Notes that a record is done; {@link writeMarks} must follow. */
  mark(index: number): void {
    putMark(this.#marks, index, this.#generation);
    this.alive--;
    const [from, to] = [index * markBytes, (index + 1) * markBytes];
    const { from: first, to: last } = this.#unwritten ?? { from, to };
    this.#unwritten = { from: Math.min(first, from), to: Math.max(last, to) };
  }

  /** From here on a crash of the process alone repeats none of them. Throws what the disk says. */
  writeMarks(): void {
    if (this.#unwritten === undefined) return;
    const { from, to } = this.#unwritten;
    this.#sideFile.writeAt(from, this.#marks.subarray(from, to));
    this.#unwritten = undefined;
    this.#written++;
  }

  /** From here on a power loss repeats none of what was marked before this call. Throws what the disk says. */
  async syncMarks(): Promise<void> {
    this.writeMarks();
    const written = this.#written;
    if (this.#synced === written) return;
    try {
      await this.#sideFile.sync();
      this.#synced = Math.max(this.#synced, written);
    } catch (error) {
      // The system may have dropped what it could not write: it is written again.
      this.#unwritten = { from: 0, to: this.#records * markBytes };
      throw error;
    }
  }

  close(): void {
    this.#file.close();
    this.#sideFile.close();
  }
}

async function openFilled(disk: Disk, path: string, sizeBytes: number): Promise<DiskFile> {
  const file = disk.stat(path) === undefined ? disk.create(path, 0o640) : disk.openWrite(path);
  try {
    if (file.sizeBytes >= sizeBytes) return file;
    for (let at = file.sizeBytes; at < sizeBytes; at += fillBytes) {
      await file.writeMuch(at, new Uint8Array(Math.min(fillBytes, sizeBytes - at)));
    }
    await file.sync();
    return file;
  } catch (error) {
    dropUnfinished(disk, path, file, sizeBytes);
    throw error;
  }
}

/** A file that was never used gives a full disk its room back. */
function dropUnfinished(disk: Disk, path: string, file: DiskFile, sizeBytes: number): void {
  file.close();
  if (file.sizeBytes < sizeBytes) disk.remove(path);
}
