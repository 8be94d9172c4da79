/**
 * The journal's segments: which of them is written to, when another is made, and which are asked to be vacated. They take
 * turns: one whose records are all done, for good, begins anew.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import type { Disk } from "../../lib/disk/disk.ts";
import { serialsPerMs } from "./entry.ts";
import { Quiet } from "./quiet.ts";
import { Segment, type SegmentSize } from "./segment.ts";

export interface SegmentsOptions {
  readonly size: SegmentSize;
  /** Segments at the most. */
  readonly most: number;
  /** Told what the disk said where nobody waits for it. */
  readonly onTrouble: (error: unknown) => void;
  /** The records of these are to be moved into the layout, or done. */
  readonly onVacate: (segments: readonly Segment[]) => void;
  /** Has all marks synced: there are segments that only wait for that to begin anew. */
  readonly syncMarks: () => void;
  nowMs(): number;
}

/** Records that wait longer for their end are asked to leave, once it is quiet: they keep a whole segment. */
const longestMs = 60_000;
/** The same, quiet or not. */
const longestWhenBusyMs = 10 * longestMs;
/**
 * Not more are asked while so many of those asked have not left: with a crowd on its way out, half as many come in, or
 * fewer.
 */
const mostLeaving = 256;
/** After a segment could not be made none is tried for so long. */
const restMs = 10_000;
/** Spare ones that are made in quiet moments, at the most. */
const mostSpare = 16;

export class Segments implements Iterable<Segment> {
  readonly #disk: Disk;
  readonly #home: Home;
  readonly #options: SegmentsOptions;
  readonly #segments = new Map<number, Segment>();
  #current: Segment | undefined;
  #growing: Promise<void> | undefined;
  #reserved = 0;
  /** Where a crowd has been, the next one finds as many ready: one made while it comes has the syncs of its mail wait. */
  readonly #quiet = new Quiet({
    comers: () => this.#reserved,
    wants: () => this.#mayGrow() && this.#runsShort(),
    make: async (goOn) => {
      while (goOn()) await this.#grow();
    },
  });
  /** No segment is added before; the disk was full. */
  #growAgainMs = 0;
  /** Lowered, those there are stay until they are not needed, but none is added. */
  most: number;

  constructor(disk: Disk, home: Home, options: SegmentsOptions) {
    this.#disk = disk;
    this.#home = home;
    this.#options = options;
    this.most = options.most;
  }

  /** Opens what there is. Throws what the disk says. */
  async open(): Promise<void> {
    const names = this.#disk.list(this.#home.queue("journal")).filter((name) => /^[1-9][0-9]{0,4}$/.test(name));
    for (const number of names.map(Number).toSorted((a, b) => a - b)) {
      this.#segments.set(number, await Segment.open(this.#disk, this.#home, number, this.#options.size));
    }
  }

  [Symbol.iterator](): Iterator<Segment> {
    return this.#segments.values();
  }

  get count(): number {
    return this.#segments.size;
  }

  /** The one that is written to. */
  get current(): Segment | undefined {
    return this.#current;
  }

  /** Nothing more goes into these, nor into the current one; what they hold may be read. */
  retire(segments: Iterable<Segment>): void {
    for (const segment of [...segments, this.#current]) if (segment !== undefined) segment.broken = true;
    this.#current = undefined;
  }

  // --- turns

  /** Takes room for one record in the current segment: its place. */
  reserve(bytes: number): { readonly offset: number; readonly index: number } {
    this.#reserved++;
    return this.#current!.reserve(bytes);
  }

  /** Makes another segment the current one, where one can begin anew. */
  turn(): void {
    this.#current = undefined;
    let spare = 0;
    for (const segment of this) {
      if (!segment.reusable) continue;
      if (this.#current === undefined) this.#current = segment;
      else spare++;
    }
    if (spare === 0) this.#prepareSpare();
    this.#vacateOldest();
    // Its generation is its first record's serial.
    this.#current?.begin(0);
    this.#quiet.look();
  }

  /** A spare is one whose marks only want to be synced, or a new one. */
  #prepareSpare(): void {
    const almost = [...this].some((segment) => segment.alive === 0 && !segment.broken && segment !== this.#current);
    if (almost) this.#options.syncMarks();
    else if (this.#mayGrow()) void this.#grow();
  }

  #mayGrow(): boolean {
    return this.count < this.most && this.#options.nowMs() >= this.#growAgainMs;
  }

  #runsShort(): boolean {
    let [inUse, spare] = [0, 0];
    for (const segment of this) {
      if (segment.alive > 0 || segment === this.#current) inUse++;
      else if (!segment.broken) spare++;
    }
    return spare < Math.min(inUse, mostSpare);
  }

  /** Settles when there is one to begin with, or the disk takes none. */
  async prepareFirst(): Promise<void> {
    if (this.#mayGrow() && ![...this].some((segment) => segment.reusable)) await this.#grow();
  }

  #grow(): Promise<void> {
    this.#growing ??= this.#addOne().catch((error) => {
      this.#options.onTrouble(error);
      this.#growAgainMs = this.#options.nowMs() + restMs;
    }).finally(() => this.#growing = undefined);
    return this.#growing;
  }

  async #addOne(): Promise<void> {
    let number = 1;
    while (this.#segments.has(number)) number++;
    const segment = await Segment.open(this.#disk, this.#home, number, this.#options.size);
    await this.#disk.syncDir(this.#home.queue("journal"));
    this.#segments.set(number, segment);
  }

  /** Settles when none is being made, nor will be in a quiet moment. */
  async grown(): Promise<void> {
    this.#quiet.close();
    await this.#growing;
  }

  // --- asked to be vacated

  /** With half of all segments in use, one of those that have waited longest is asked for, at each turn. */
  #vacateOldest(): void {
    const inUse = [...this].filter((segment) => segment.alive > 0 && segment !== this.#current);
    if (inUse.length * 2 < this.most) return;
    const [oldest] = inUse.toSorted((a, b) => a.generation - b.generation).filter((segment) => !segment.asked);
    if (oldest !== undefined) this.#vacate([oldest]);
  }

  /**
   * What has waited long is asked for although there is room: a crash should find little to do again. One segment at a
   * time, and while new mail keeps the disk busy not before it has waited very long.
   */
  vacateLongest(isBusy: boolean): void {
    const before = (this.#options.nowMs() - (isBusy ? longestWhenBusyMs : longestMs)) * serialsPerMs;
    const others = [...this].filter((segment) => segment.alive > 0 && segment !== this.#current);
    const leaving = others.reduce((sum, { asked, alive }) => asked ? sum + alive : sum, 0);
    if (leaving > mostLeaving) return;
    const old = others.filter(({ asked, generation }) => !asked && generation < before);
    const [oldest] = old.toSorted((a, b) => a.generation - b.generation);
    if (oldest !== undefined) this.#vacate([oldest]);
  }

  /** Who was asked may not have heard. */
  askAgain(): void {
    for (const segment of this) segment.asked = false;
  }

  #vacate(segments: readonly Segment[]): void {
    for (const segment of segments) segment.asked = true;
    this.#options.onVacate(segments);
  }

  close(): void {
    for (const segment of this) segment.close();
  }
}
