/**
 * Reads messages out of the journal for those who deliver or bounce them: qmail-lspawn, qmail-rspawn, qmail-send. Keeps
 * segments open, for they are few and stay.
 * @module
 */
import type { Home } from "../../../../config/home.ts";
import { ifThere } from "../../disk/if_there.ts";
import { readAt } from "../../disk/read_at.ts";
import type { JournalPlace } from "../../wire/queue_protocol.ts";
import { journalSegment } from "../layout.ts";
import { parseRecord } from "./record.ts";

/** Longer than any record qmail-queue writes. */
const longestRecord = 2 * 1024 * 1024;

export class JournalReader {
  readonly #home: Home;
  readonly #segments = new Map<number, Deno.FsFile>();

  constructor(home: Home) {
    this.#home = home;
  }

  /** A message's content; undefined where that stands in mess, by now or all along, and where the message was finished. */
  read({ serial, segment, offset, bytes }: JournalPlace): Uint8Array | undefined {
    if (bytes > longestRecord) return undefined;
    // A segment that was removed and made anew since it was opened is met by its record's serial: look again, once.
    for (const again of [true, false]) {
      const file = this.#open(segment);
      const record = file === undefined ? undefined : parseRecord(readAt(file, offset, bytes));
      if (record?.serial === serial) return record.messBytes === undefined ? record.content : undefined;
      if (again) this.#close(segment);
    }
    return undefined;
  }

  close(): void {
    for (const segment of [...this.#segments.keys()]) this.#close(segment);
  }

  #open(segment: number): Deno.FsFile | undefined {
    const open = this.#segments.get(segment);
    if (open !== undefined) return open;
    const file = ifThere(() => Deno.openSync(journalSegment(this.#home, segment), { read: true }));
    if (file !== undefined) this.#segments.set(segment, file);
    return file;
  }

  #close(segment: number): void {
    this.#segments.get(segment)?.close();
    this.#segments.delete(segment);
  }
}
