/**
 * The journal: small messages, and the envelopes of larger ones whose text stands in mess, appended to segments, many of
 * them covered by one sync. An append settles when its record is on stable storage; all that arrive while a sync runs share
 * the next. A record is done when qmail-send says so, or when it has been moved into the layout; a segment without records
 * that are not done begins anew.
 *
 * Here is what becomes of a record that is in it. How it gets there: writer.ts; which segment takes it: segments.ts; how
 * what is said to be done reaches the disk: marks.ts; which number it has: numbers.ts.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import type { Disk } from "../../lib/disk/disk.ts";
import { type JournalRecord, parseRecord } from "../../lib/queue/journal/record.ts";
import { journalNumbers } from "../../lib/queue/layout.ts";
import { type Entry, type Live, type NewRecord, serialsPerMs } from "./entry.ts";
import { Marks } from "./marks.ts";
import { Numbers, type NumbersOptions } from "./numbers.ts";
import type { Segment, SegmentSize } from "./segment.ts";
import { Segments } from "./segments.ts";
import { type Soon, Writer } from "./writer.ts";

export interface JournalOptions {
  readonly segment: SegmentSize;
  /** Segments at the most; 0: nothing is appended, what a predecessor left can be read and moved. */
  readonly segments: number;
  readonly numbers: NumbersOptions;
  /** Told what the disk said where nobody waits for it. */
  readonly onTrouble: (error: unknown) => void;
  /** The room of these records is needed: they are to be moved into the layout, or done. */
  readonly onVacate: (entries: readonly Entry[]) => void;
  nowMs(): number;
  /** Settles when what has arrived already has been appended, so that it shares a sync. */
  gather(): Promise<void>;
  /** Which syncs are waited for on the spot; the usual ones unless given. */
  readonly soon?: Soon;
}

/** Records in a second that make the journal busy, and for how many seconds after them it still is. */
const busyRecords = 200;
const busySeconds = 5;

export class Journal {
  readonly #options: JournalOptions;
  readonly numbers: Numbers;
  readonly #segments: Segments;
  readonly #marks: Marks;
  readonly #writer: Writer;
  readonly #live = new Map<number, Live>();
  /** Of the live ones, those that have moved and are marked, but the mark is not synced. */
  readonly #moved = new Set<number>();
  #lastSerial = 0;
  #closed = false;
  /** Records appended in this second, and seconds until it is quiet again. */
  #appendedNow = 0;
  #busySeconds = 0;
  /** Whether new records may come. */
  accepting = true;

  private constructor(disk: Disk, home: Home, options: JournalOptions) {
    this.#options = options;
    this.numbers = new Numbers(disk, home, options.numbers, options.onTrouble);
    this.#segments = new Segments(disk, home, {
      size: options.segment,
      most: options.segments,
      onTrouble: options.onTrouble,
      onVacate: (segments) => this.#vacate(new Set(segments)),
      syncMarks: () => void this.#marks.sync(),
      nowMs: () => options.nowMs(),
    });
    this.#marks = new Marks(this.#segments, {
      onTrouble: options.onTrouble,
      onRound: () => {
        this.#segments.vacateLongest(this.#isBusy());
        return this.#live.size > 0;
      },
    });
    this.#writer = new Writer(this.#segments, this.numbers, this.#marks, {
      gather: () => options.gather(),
      appended: (entry) => this.#live.set(entry.serial, entry),
    }, options.soon);
  }

  /** Opens what there is, and knows every record that is not done. Throws what the disk says. */
  static async open(disk: Disk, home: Home, options: JournalOptions): Promise<Journal> {
    const journal = new Journal(disk, home, options);
    await journal.#segments.open();
    // A predecessor that was killed may have made names nobody synced yet; records must not rest on one.
    await Promise.all([disk.syncDir(home.queue("journal")), disk.syncDir(journalNumbers(home))]);
    journal.#recover();
    await journal.#marks.sync();
    if (options.segments > 0) {
      await journal.numbers.refill();
      await journal.#segments.prepareFirst();
    }
    journal.#marks.syncSoon();
    return journal;
  }

  /** Records that are not done. */
  get size(): number {
    return this.#live.size;
  }

  get segments(): number {
    return this.#segments.count;
  }

  /** Segments at the most; lowered, those there are stay until they are not needed, but none is added. */
  set mostSegments(most: number) {
    this.#segments.most = most;
  }

  entries(): Entry[] {
    return [...this.#live.values()];
  }

  /** The record of this serial, or undefined when it is done. */
  find(serial: number): Entry | undefined {
    return this.#live.get(serial);
  }

  /** The record as it stands on the disk. Throws what the disk says, or an Error where it is damaged. */
  read(entry: Entry): JournalRecord {
    const { in: segment } = this.#live.get(entry.serial) ?? {};
    const record = segment === undefined ? undefined : parseRecord(segment.read(entry.offset, entry.bytes));
    if (record === undefined || record.serial !== entry.serial) {
      throw new Error(`the journal's record ${entry.serial} is damaged`);
    }
    return record;
  }

  // --- in

  /**
   * Appends a record and settles when it is on stable storage; rejects with what the disk says, the record is none then.
   * Undefined when there is no room for it now: it belongs into the layout.
   */
  append(record: NewRecord): Promise<Entry> | undefined {
    if (this.#closed || !this.accepting || !this.#writer.makeRoom(record)) return undefined;
    const id = record.mess ?? this.numbers.take();
    if (id === undefined) return undefined;
    this.#lastSerial = Math.max(this.#lastSerial + 1, this.#options.nowMs() * serialsPerMs);
    this.#appendedNow++;
    return this.#writer.append(this.#lastSerial, id, record);
  }

  /** Whether more than enough waits for the disk; then {@link relaxed} settles when less does. */
  get pressed(): boolean {
    return this.#writer.pressed;
  }

  relaxed(): Promise<void> {
    return this.#writer.relaxed();
  }

  // --- out

  /** These are done: nothing of them is needed. Those that are no records (any more) are passed over. */
  done(serials: readonly number[]): void {
    const touched = new Set<Segment>();
    for (const serial of serials) {
      const entry = this.#live.get(serial);
      if (entry === undefined) continue;
      this.#live.delete(serial);
      if (!this.#moved.delete(serial)) entry.in.mark(entry.index);
      touched.add(entry.in);
      this.numbers.release(entry.id);
    }
    this.#marks.write(touched);
  }

  /**
   * This one has moved into the layout: settles when no power loss can bring it back, for from then on what is in the
   * layout may end and leave no trace. Throws what the disk says; it is to be called again then.
   */
  async moved({ serial, id }: Entry): Promise<void> {
    const entry = this.#live.get(serial);
    if (entry === undefined) return;
    if (!this.#moved.has(serial)) entry.in.mark(entry.index);
    this.#moved.add(serial);
    await entry.in.syncMarks();
    this.#moved.delete(serial);
    this.#live.delete(serial);
    this.numbers.moved(id);
  }

  /** Whether this one stands in the layout, though a power loss might bring it back here. */
  hasMoved({ serial }: Entry): boolean {
    return this.#moved.has(serial);
  }

  /** A mess file under its number is another message's: it gets a number of its own. Throws what the disk says. */
  renumber({ serial, id }: Entry): void {
    const entry = this.#live.get(serial);
    if (entry === undefined) return;
    this.numbers.moved(id);
    this.#live.set(serial, { ...entry, id: this.numbers.takeNow() });
  }

  /** To be called each second. */
  #isBusy(): boolean {
    this.#busySeconds = this.#appendedNow > busyRecords ? busySeconds : Math.max(this.#busySeconds - 1, 0);
    this.#appendedNow = 0;
    return this.#busySeconds > 0;
  }

  #vacate(segments: ReadonlySet<Segment>): void {
    this.#options.onVacate([...this.#live.values()].filter((entry) => segments.has(entry.in)));
  }

  /** Who was asked to vacate may not have heard. */
  askAgain(): void {
    this.#segments.askAgain();
  }

  // --- from process to process

  #recover(): void {
    this.numbers.recover();
    const found: Live[] = [];
    for (const segment of this.#segments) {
      for (const { record: { serial, id, bytes, messBytes }, offset, index } of segment.recover()) {
        const inMess = messBytes !== undefined;
        found.push({ serial, id, segment: segment.number, offset, bytes, inMess, in: segment, index });
      }
      this.#lastSerial = Math.max(this.#lastSerial, segment.lastSerial);
    }
    // A number that two have is the later one's: it was given again when the earlier was done, whose mark the power took.
    found.sort((a, b) => b.serial - a.serial);
    const unnumbered = new Set(found.filter(({ id, inMess }) => !inMess && !this.numbers.claim(id)));
    this.numbers.trim();
    for (const entry of found.toReversed()) {
      this.#live.set(entry.serial, unnumbered.has(entry) ? { ...entry, id: this.numbers.takeNow() } : entry);
    }
    // Later than any that was ever given, whether its record is still there or not.
    this.#lastSerial = Math.max(this.#lastSerial, this.#options.nowMs() * serialsPerMs);
  }

  /** Settles when everything appended is on stable storage, or has failed, and every mark as well. */
  async close(): Promise<void> {
    this.#closed = true;
    this.numbers.close();
    this.#marks.close();
    await this.#writer.idle();
    await this.#segments.grown();
    await this.numbers.refill();
    await this.#marks.sync();
    this.#segments.close();
  }
}
