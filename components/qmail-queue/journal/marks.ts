/**
 * Done marks on their way to the disk: written at once, so that the death of the process repeats nothing, and synced
 * within a second, all segments at one time.
 * @module
 */
import type { Segment } from "./segment.ts";

export interface MarksEvents {
  /** Told what the disk said; it is tried again. */
  onTrouble(error: unknown): void;
  /** Called each second before the sync; whether there is to be another. */
  onRound(): boolean;
}

/** Marks are on stable storage so soon after they were made. */
const syncMs = 1000;

export class Marks {
  readonly #segments: Iterable<Segment>;
  readonly #events: MarksEvents;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(segments: Iterable<Segment>, events: MarksEvents) {
    this.#segments = segments;
    this.#events = events;
  }

  /** Writes those of these segments. */
  write(touched: ReadonlySet<Segment>): void {
    for (const segment of touched) {
      try {
        segment.writeMarks();
      } catch (error) {
        // Tried again with the next sync; until then a crash would repeat a delivery.
        this.#events.onTrouble(error);
      }
    }
    this.syncSoon();
  }

  syncSoon(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const again = this.#events.onRound();
      void this.sync();
      if (again) this.syncSoon();
    }, syncMs);
  }

  /** Settles when they are on stable storage, or the disk has been heard. */
  async sync(): Promise<void> {
    const sync = async (segment: Segment) => {
      try {
        await segment.syncMarks();
      } catch (error) {
        this.#events.onTrouble(error);
        this.syncSoon();
      }
    };
    await Promise.all(Array.from(this.#segments, sync));
  }

  /** From here on they are synced by {@link sync} only. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
