/**
 * Records on their way to the disk: all that arrive in one turn of the event loop are one write, all that arrive while a
 * sync runs share the next. An append settles when its record is on stable storage. When a write or a sync fails nobody
 * who waits gets a yes, and nothing more goes into the segments in question.
 * @module
 */
import { putRecord, recordBytes } from "../../lib/queue/journal/record.ts";
import type { Entry, Live, NewRecord } from "./entry.ts";
import type { Marks } from "./marks.ts";
import type { Numbers } from "./numbers.ts";
import type { Segment } from "./segment.ts";
import type { Segments } from "./segments.ts";

export interface WriterEvents {
  /** Settles when what has arrived already has been appended, so that it shares a sync. */
  gather(): Promise<void>;
  /** It is on stable storage. */
  appended(entry: Live): void;
}

interface Waiting {
  readonly entry: Live;
  readonly resolve: (entry: Entry) => void;
  readonly reject: (error: unknown) => void;
}

/** Records written at once. */
const gatherBytes = 1024 * 1024;
/**
 * Syncs that take no longer are waited for on the spot, in ms. Where a single record waits (`one`) it may take longer: what
 * comes meanwhile would wait for the next sync in any case, and the way to another thread and back takes 0.3 ms.
 */
export interface Soon {
  readonly one: number;
  readonly many: number;
}

const usual: Soon = { one: 4, many: 0.5 };
/** Octets that wait for a sync, from which on callers should wait before they bring more. */
const pressedBytes = 8 * 1024 * 1024;

export class Writer {
  readonly #segments: Segments;
  readonly #numbers: Numbers;
  readonly #marks: Marks;
  readonly #events: WriterEvents;
  readonly #gather = new Uint8Array(gatherBytes);
  #gathered = 0;
  /** Where the first gathered octet goes. */
  #gatherOffset = 0;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Segments written to since their last sync. */
  readonly #dirty = new Set<Segment>();
  #running: Promise<void> | undefined;
  /** What a sync takes, as the last ones did. */
  #syncMs = 1;
  readonly #soon: Soon;

  constructor(segments: Segments, numbers: Numbers, marks: Marks, events: WriterEvents, soon = usual) {
    this.#segments = segments;
    this.#numbers = numbers;
    this.#marks = marks;
    this.#events = events;
    this.#soon = soon;
  }

  /** Whether this record has room in the current segment, or in another that is the current one now. */
  makeRoom({ envelope, content }: NewRecord): boolean {
    const bytes = recordBytes(envelope, content);
    if (bytes > gatherBytes) return false;
    if (this.#segments.current?.fits(bytes) === true) return true;
    if (this.#segments.most === 0) return false;
    try {
      this.#writeOut();
    } catch (error) {
      this.#fail(error);
    }
    this.#segments.turn();
    return this.#segments.current?.fits(bytes) === true;
  }

  /** Appends a record that has room. Rejects with what the disk says, the record is none then and `id` is free. */
  append(serial: number, id: number, { birthSeconds, envelope, content, mess }: NewRecord): Promise<Entry> {
    const bytes = recordBytes(envelope, content);
    const segment = this.#segments.current!;
    if (segment.generation === 0) segment.begin(serial);
    try {
      if (this.#gathered + bytes > gatherBytes) this.#writeOut();
    } catch (error) {
      this.#numbers.release(id);
      this.#fail(error);
      return Promise.reject(error);
    }
    const { offset, index } = this.#segments.reserve(bytes);
    const head = { generation: segment.generation, serial, id, birthSeconds };
    if (this.#gathered === 0) this.#gatherOffset = offset;
    this.#gathered = putRecord(this.#gather, this.#gathered, head, envelope, content);
    const inMess = mess !== undefined;
    const entry: Live = { serial, id, segment: segment.number, offset, bytes, inMess, in: segment, index };
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

  /** Settles when everything appended is on stable storage, or has failed. */
  async idle(): Promise<void> {
    await this.#running;
  }

  #writeOut(): void {
    if (this.#gathered === 0) return;
    const octets = this.#gather.subarray(0, this.#gathered);
    this.#gathered = 0;
    const segment = this.#segments.current!;
    this.#dirty.add(segment);
    segment.write(this.#gatherOffset, octets);
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#events.gather();
      try {
        this.#writeOut();
        const batch = this.#waiting;
        this.#waiting = [];
        const dirty = [...this.#dirty];
        this.#dirty.clear();
        try {
          await this.#sync(dirty, batch.length === 1 ? this.#soon.one : this.#soon.many);
        } catch (error) {
          // What came meanwhile went into the same segment, whose state nobody knows now.
          this.#waiting = [...batch, ...this.#waiting];
          dirty.forEach((segment) => this.#dirty.add(segment));
          throw error;
        }
        for (const { entry, resolve } of batch) {
          this.#events.appended(entry);
          this.#waitingBytes -= entry.bytes;
          resolve(entry);
        }
        this.#marks.syncSoon();
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#running = undefined;
  }

  /** On a disk that answers at once, to wait for another thread to ask it would take longer than the answer. */
  async #sync(segments: readonly Segment[], soonMs: number): Promise<void> {
    const begunMs = performance.now();
    if (this.#syncMs > soonMs) await Promise.all(segments.map((segment) => segment.sync()));
    else segments.forEach((segment) => segment.syncNow());
    this.#syncMs += (performance.now() - begunMs - this.#syncMs) / 8;
  }

  #fail(error: unknown): void {
    const failed = this.#waiting;
    this.#waiting = [];
    this.#gathered = 0;
    this.#segments.retire(this.#dirty);
    this.#dirty.clear();
    const touched = new Set<Segment>();
    for (const { entry, reject } of failed) {
      // What reached the disk all the same must not be found there later: its sender was told to try again.
      entry.in.mark(entry.index);
      touched.add(entry.in);
      this.#numbers.release(entry.id);
      this.#waitingBytes -= entry.bytes;
      reject(error);
    }
    this.#marks.write(touched);
  }
}
