/**
 * The journal: small messages appended to segments, many of them covered by one sync. An append settles when its record
 * is on stable storage; all that arrive while a sync runs share the next. A record is done when qmail-send says so, or
 * when it has been moved into the layout; a segment without records that are not done begins anew.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import type { Disk } from "../../lib/disk/disk.ts";
import { type JournalRecord, parseRecord, putRecord, recordBytes } from "../../lib/queue/journal/record.ts";
import { journalNumbers } from "../../lib/queue/layout.ts";
import { Numbers } from "./numbers.ts";
import { Segment, type SegmentSize } from "./segment.ts";

export interface JournalOptions {
  readonly segment: SegmentSize;
  /** Segments at the most; 0: nothing is appended, what a predecessor left can be read and moved. */
  readonly segments: number;
  readonly numbers: { readonly ready: number; readonly most: number };
  /** Told what the disk said where nobody waits for it. */
  readonly onTrouble: (error: unknown) => void;
  /** The room of these records is needed: they are to be moved into the layout, or done. */
  readonly onVacate: (entries: readonly Entry[]) => void;
  nowMs(): number;
  /** Settles when what has arrived already has been appended, so that it shares a sync. */
  gather(): Promise<void>;
}

/** What is appended. */
export interface NewRecord {
  readonly birthSeconds: number;
  /** As in todo. */
  readonly envelope: Uint8Array;
  readonly content: readonly Uint8Array[];
}

/** A record that is not done. */
export interface Entry {
  readonly serial: number;
  readonly id: number;
  readonly segment: number;
  readonly offset: number;
  /** Octets of the record. */
  readonly bytes: number;
}

interface Live extends Entry {
  readonly in: Segment;
  readonly index: number;
}

interface Waiting {
  readonly entry: Live;
  readonly resolve: (entry: Entry) => void;
  readonly reject: (error: unknown) => void;
}

/** A serial is a time, so that none comes back whatever was lost; more records than that do not come in a millisecond. */
const serialsPerMs = 1000;
/** Marks are on stable storage so soon after they were made. */
const syncMarksMs = 1000;
/** Records written at once. */
const gatherBytes = 1024 * 1024;
/** Records that wait longer for their end are asked to leave: they keep a whole segment. */
const longestMs = 60_000;
/** After a segment could not be made none is tried for so long. */
const restMs = 10_000;
/** Syncs that take no longer are waited for on the spot. */
const soonMs = 0.5;
/** Octets that wait for a sync, from which on callers should wait before they bring more. */
const pressedBytes = 8 * 1024 * 1024;

export class Journal {
  readonly #disk: Disk;
  readonly #home: Home;
  readonly #options: JournalOptions;
  readonly numbers: Numbers;
  readonly #segments = new Map<number, Segment>();
  readonly #live = new Map<number, Live>();
  /** Of the live ones, those that have moved and are marked, but the mark is not synced. */
  readonly #moved = new Set<number>();
  readonly #gather = new Uint8Array(gatherBytes);
  #gathered = 0;
  /** Where the first gathered octet goes. */
  #gatherOffset = 0;
  #current: Segment | undefined;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Segments written to since their last sync. */
  readonly #dirty = new Set<Segment>();
  #running: Promise<void> | undefined;
  #growing: Promise<void> | undefined;
  /** No segment is added before; the disk was full. */
  #growAgainMs = 0;
  #marksTimer: ReturnType<typeof setTimeout> | undefined;
  #lastSerial = 0;
  /** What a sync takes, as the last ones did. */
  #syncMs = 2 * soonMs;
  #closed = false;
  /** Whether new records may come. */
  accepting = true;
  /** Segments at the most; lowered, those there are stay until they are not needed, but none is added. */
  mostSegments: number;

  private constructor(disk: Disk, home: Home, options: JournalOptions) {
    this.#disk = disk;
    this.#home = home;
    this.#options = options;
    this.mostSegments = options.segments;
    this.numbers = new Numbers(disk, home, options.numbers, options.onTrouble);
  }

  /** Opens what there is, and knows every record that is not done. Throws what the disk says. */
  static async open(disk: Disk, home: Home, options: JournalOptions): Promise<Journal> {
    const journal = new Journal(disk, home, options);
    const names = disk.list(home.queue("journal")).filter((name) => /^[1-9][0-9]{0,4}$/.test(name));
    for (const number of names.map(Number).toSorted((a, b) => a - b)) {
      journal.#segments.set(number, await Segment.open(disk, home, number, options.segment));
    }
    // A predecessor that was killed may have made names nobody synced yet; records must not rest on one.
    await Promise.all([disk.syncDir(home.queue("journal")), disk.syncDir(journalNumbers(home))]);
    journal.#recover();
    await journal.#syncMarks();
    if (options.segments > 0) {
      await journal.numbers.refill();
      const reusable = [...journal.#segments.values()].some((segment) => segment.reusable);
      if (!reusable && journal.segments < options.segments) await journal.#grow();
    }
    journal.#syncMarksSoon();
    return journal;
  }

  /** Records that are not done. */
  get size(): number {
    return this.#live.size;
  }

  get segments(): number {
    return this.#segments.size;
  }

  entries(): Entry[] {
    return [...this.#live.values()];
  }

  /**
   * Appends a record and settles when it is on stable storage; rejects with what the disk says, the record is none then.
   * Undefined when there is no room for it now: it belongs into the layout.
   */
  append(record: NewRecord): Promise<Entry> | undefined {
    const bytes = recordBytes(record.envelope, record.content);
    if (this.#closed || !this.accepting || bytes > gatherBytes || !this.#turnTo(bytes)) return undefined;
    const id = this.numbers.take();
    if (id === undefined) return undefined;
    const segment = this.#current!;
    const serial = Math.max(this.#lastSerial + 1, this.#options.nowMs() * serialsPerMs);
    this.#lastSerial = serial;
    if (segment.generation === 0) segment.begin(serial);
    try {
      if (this.#gathered + bytes > gatherBytes) this.#writeOut();
    } catch (error) {
      this.numbers.release(id);
      this.#fail(error);
      return Promise.reject(error);
    }
    const { offset, index } = segment.reserve(bytes);
    const head = { generation: segment.generation, serial, id, birthSeconds: record.birthSeconds };
    if (this.#gathered === 0) this.#gatherOffset = offset;
    this.#gathered = putRecord(this.#gather, this.#gathered, head, record.envelope, record.content);
    const entry: Live = { serial, id, segment: segment.number, offset, bytes, in: segment, index };
    this.#waitingBytes += bytes;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Whether more than enough waits for the disk; then {@link relaxed} settles when less does. */
  get pressed(): boolean {
    return this.#waitingBytes > pressedBytes;
  }

  async relaxed(): Promise<void> {
    while (this.pressed && this.#running !== undefined) await this.#running;
  }

  /** These are done: nothing of them is needed. Those that are no records (any more) are passed over. */
  done(serials: readonly number[]): void {
    const touched = new Set<Segment>();
    for (const serial of serials) {
      const entry = this.#live.get(serial);
      if (entry === undefined) continue;
      this.#forget(entry, touched);
      this.numbers.release(entry.id);
    }
    this.#writeMarks(touched);
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

  /** Settles when everything appended is on stable storage, or has failed, and every mark as well. */
  async close(): Promise<void> {
    this.#closed = true;
    this.numbers.close();
    clearTimeout(this.#marksTimer);
    await this.#running;
    await this.#growing;
    await this.numbers.refill();
    await this.#syncMarks();
    for (const segment of this.#segments.values()) segment.close();
  }

  // --- segments

  /** Makes the current segment one with room for so many octets; false when there is none. */
  #turnTo(bytes: number): boolean {
    if (this.#current?.fits(bytes) === true) return true;
    if (this.mostSegments === 0) return false;
    try {
      this.#writeOut();
    } catch (error) {
      this.#fail(error);
    }
    this.#current = undefined;
    let spare = 0;
    for (const segment of this.#segments.values()) {
      if (!segment.reusable) continue;
      if (this.#current === undefined) this.#current = segment;
      else spare++;
    }
    if (spare === 0) this.#prepareSpare();
    this.#vacateOldest();
    // Its generation is its first record's serial.
    this.#current?.begin(0);
    return this.#current?.fits(bytes) === true;
  }

  /** A spare is one whose marks only want to be synced, or a new one. */
  #prepareSpare(): void {
    const almost = [...this.#segments.values()].some((segment) =>
      segment.alive === 0 && !segment.broken && segment !== this.#current
    );
    if (almost) void this.#syncMarks();
    else if (this.#segments.size < this.mostSegments) void this.#grow();
  }

  /** With half of all segments in use, one of those that have waited longest is asked for, at each turn. */
  #vacateOldest(): void {
    const inUse = [...this.#segments.values()].filter((segment) => segment.alive > 0 && segment !== this.#current);
    if (inUse.length * 2 < this.mostSegments) return;
    const [oldest] = inUse.toSorted((a, b) => a.generation - b.generation).filter((segment) => !segment.asked);
    if (oldest !== undefined) this.#vacate([oldest]);
  }

  /** What has waited long is asked for although there is room: a crash should find little to do again. */
  #vacateLongest(): void {
    const before = (this.#options.nowMs() - longestMs) * serialsPerMs;
    const old = [...this.#segments.values()].filter((segment) =>
      segment.alive > 0 && segment.generation < before && segment !== this.#current && !segment.asked
    );
    if (old.length > 0) this.#vacate(old);
  }

  /** Who was asked may not have heard. */
  askAgain(): void {
    for (const segment of this.#segments.values()) segment.asked = false;
  }

  #vacate(segments: readonly Segment[]): void {
    for (const segment of segments) segment.asked = true;
    const asked = new Set(segments);
    this.#options.onVacate([...this.#live.values()].filter((entry) => asked.has(entry.in)));
  }

  #grow(): Promise<void> {
    if (this.#options.nowMs() < this.#growAgainMs) return Promise.resolve();
    this.#growing ??= this.#addSegment().catch((error) => {
      this.#options.onTrouble(error);
      this.#growAgainMs = this.#options.nowMs() + restMs;
    }).finally(() => this.#growing = undefined);
    return this.#growing;
  }

  async #addSegment(): Promise<void> {
    let number = 1;
    while (this.#segments.has(number)) number++;
    const segment = await Segment.open(this.#disk, this.#home, number, this.#options.segment);
    await this.#disk.syncDir(this.#home.queue("journal"));
    this.#segments.set(number, segment);
  }

  #recover(): void {
    this.numbers.recover();
    const found: Live[] = [];
    for (const segment of this.#segments.values()) {
      for (const { record: { serial, id, bytes }, offset, index } of segment.recover()) {
        found.push({ serial, id, segment: segment.number, offset, bytes, in: segment, index });
      }
      this.#lastSerial = Math.max(this.#lastSerial, segment.lastSerial);
    }
    // A number that two have is the later one's: it was given again when the earlier was done, whose mark the power took.
    found.sort((a, b) => b.serial - a.serial);
    const unnumbered = new Set(found.filter(({ id }) => !this.numbers.claim(id)));
    this.numbers.trim();
    for (const entry of found.toReversed()) {
      this.#live.set(entry.serial, unnumbered.has(entry) ? { ...entry, id: this.numbers.takeNow() } : entry);
    }
    // Later than any that was ever given, whether its record is still there or not.
    this.#lastSerial = Math.max(this.#lastSerial, this.#options.nowMs() * serialsPerMs);
  }

  // --- writing

  #writeOut(): void {
    if (this.#gathered === 0) return;
    const octets = this.#gather.subarray(0, this.#gathered);
    this.#gathered = 0;
    this.#dirty.add(this.#current!);
    this.#current!.write(this.#gatherOffset, octets);
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#options.gather();
      try {
        this.#writeOut();
        const batch = this.#waiting;
        this.#waiting = [];
        const dirty = [...this.#dirty];
        this.#dirty.clear();
        try {
          await this.#sync(dirty);
        } catch (error) {
          // What came meanwhile went into the same segment, whose state nobody knows now.
          this.#waiting = [...batch, ...this.#waiting];
          dirty.forEach((segment) => this.#dirty.add(segment));
          throw error;
        }
        for (const { entry, resolve } of batch) {
          this.#live.set(entry.serial, entry);
          this.#waitingBytes -= entry.bytes;
          resolve(entry);
        }
        this.#syncMarksSoon();
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#running = undefined;
  }

  /** On a disk that answers at once, to wait for another thread to ask it would take longer than the answer. */
  async #sync(segments: readonly Segment[]): Promise<void> {
    const begunMs = performance.now();
    if (this.#syncMs > soonMs) await Promise.all(segments.map((segment) => segment.sync()));
    else segments.forEach((segment) => segment.syncNow());
    this.#syncMs += (performance.now() - begunMs - this.#syncMs) / 8;
  }

  /** Nobody who waits gets a yes, and nothing more goes into the segments in question. */
  #fail(error: unknown): void {
    const failed = this.#waiting;
    this.#waiting = [];
    this.#gathered = 0;
    for (const segment of [...this.#dirty, this.#current]) if (segment !== undefined) segment.broken = true;
    this.#dirty.clear();
    this.#current = undefined;
    const touched = new Set<Segment>();
    for (const { entry, reject } of failed) {
      // What reached the disk all the same must not be found there later: its sender was told to try again.
      entry.in.mark(entry.index);
      touched.add(entry.in);
      this.numbers.release(entry.id);
      this.#waitingBytes -= entry.bytes;
      reject(error);
    }
    this.#writeMarks(touched);
  }

  // --- done marks

  #forget(entry: Live, touched: Set<Segment>): void {
    this.#live.delete(entry.serial);
    if (!this.#moved.delete(entry.serial)) entry.in.mark(entry.index);
    touched.add(entry.in);
  }

  #writeMarks(touched: ReadonlySet<Segment>): void {
    for (const segment of touched) {
      try {
        segment.writeMarks();
      } catch (error) {
        // Tried again with the next sync; until then a crash would repeat a delivery.
        this.#options.onTrouble(error);
      }
    }
    this.#syncMarksSoon();
  }

  #syncMarksSoon(): void {
    this.#marksTimer ??= setTimeout(() => {
      this.#marksTimer = undefined;
      this.#vacateLongest();
      void this.#syncMarks();
      if (this.#live.size > 0 && !this.#closed) this.#syncMarksSoon();
    }, syncMarksMs);
  }

  async #syncMarks(): Promise<void> {
    const sync = async (segment: Segment) => {
      try {
        await segment.syncMarks();
      } catch (error) {
        this.#options.onTrouble(error);
        if (!this.#closed) this.#syncMarksSoon();
      }
    };
    await Promise.all(Array.from(this.#segments.values(), sync));
  }
}
