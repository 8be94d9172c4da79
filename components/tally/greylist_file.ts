/**
 * The greylist on disk: a file that is only added to (greylist_record.ts), and written anew under another name when most
 * of it no longer holds. Each change is written before it is answered, so the death of this process loses none; it is
 * synced within a second, so a power loss may cost the last one: some clients wait once more, no mail is lost.
 *
 * Where the disk is full or fails, greylisting goes on in memory, the log says so once, and a minute later all of it is
 * written anew.
 * @module
 */
import type { Disk, DiskFile } from "../lib/disk/disk.ts";
import { describeError, log, logEvent } from "../lib/log/log.ts";
import { breathe } from "../lib/process/breathe.ts";
import type { Greylist } from "./greylist.ts";
import { formatRecords, type GreylistRecord, parseRecords, recordBytes } from "./greylist_record.ts";

export interface GreylistFileOptions {
  readonly disk: Disk;
  /** The folder of this component's own; it has to be there. */
  readonly dir: string;
  readonly greylist: Greylist;
  /** Of a clock that only goes forward. */
  readonly nowMs: () => number;
  /** How many records may be there beyond twice those that hold; default 10,000, less than half a megabyte. */
  readonly spareRecords?: number;
}

const syncMs = 1000;
const retryMs = 60_000;
/** Read in one piece. */
const pieceBytes = 20_000 * recordBytes;
/** Written in one piece: a few milliseconds in which nobody is answered. */
const sliceRecords = 1000;
const mode = 0o600;

/** A file and how many records are in it. */
interface Open {
  readonly file: DiskFile;
  records: number;
}

export class GreylistFile {
  readonly #options: GreylistFileOptions;
  readonly #path: string;
  readonly #freshPath: string;
  readonly #spareRecords: number;
  /** Undefined: nothing can be written at the moment. */
  #current: Open | undefined;
  /** The one that is to take its place. */
  #fresh: Open | undefined;
  /** When writing failed last; undefined when all is well again. */
  #failedMs: number | undefined;
  #unsynced = false;
  /** The file's name may not be on stable storage yet. */
  #isNewName = false;
  #syncTimer: ReturnType<typeof setTimeout> | undefined;
  #rewriting: Promise<void> | undefined;
  #stopped = false;

  constructor(options: GreylistFileOptions) {
    this.#options = options;
    this.#path = `${options.dir}/greylist`;
    this.#freshPath = `${this.#path}.new`;
    this.#spareRecords = options.spareRecords ?? 10_000;
  }

  /** Tells the greylist what an earlier process wrote. To be called once, before anything else. Never throws. */
  load(): void {
    const { disk } = this.#options;
    try {
      this.#isNewName = !disk.exists(this.#path);
      const file = this.#isNewName ? disk.create(this.#path, mode) : disk.openWrite(this.#path);
      this.#current = { file, records: Math.floor(file.sizeBytes / recordBytes) };
      const damaged = this.#readAll(file);
      if (damaged) log("warning: tally/greylist was damaged; what could be read of it is kept");
      if (damaged || this.#isWasteful()) this.#startRewrite();
    } catch (error) {
      this.#fail("current", error);
    }
  }

  #readAll(file: DiskFile): boolean {
    let damaged = false;
    for (let offset = 0; offset < file.sizeBytes; offset += pieceBytes) {
      const parsed = parseRecords(file.readAt(offset, pieceBytes));
      for (const record of parsed.records) this.#options.greylist.apply(record);
      damaged ||= parsed.damaged;
    }
    return damaged;
  }

  /** Writes what has changed in the greylist. Never throws. */
  append(changes: readonly GreylistRecord[]): void {
    if (changes.length === 0 || this.#stopped) return;
    this.#write("current", changes);
    this.#write("fresh", changes);
    if (this.#current !== undefined) this.#syncSoon();
    if (this.#isWasteful()) this.#startRewrite();
  }

  /** Settles when all is on stable storage, as far as it can be. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#syncTimer);
    await this.#rewriting;
    await this.#sync();
    this.#close("current");
  }

  /** Settles when the file that is being written anew, if one is, has taken its place or was given up. */
  async rewritten(): Promise<void> {
    await this.#rewriting;
  }

  #isWasteful(): boolean {
    const records = this.#current?.records ?? Infinity;
    return records > 2 * this.#options.greylist.size + this.#spareRecords;
  }

  #write(which: "current" | "fresh", records: readonly GreylistRecord[]): void {
    try {
      writeTo(which === "current" ? this.#current : this.#fresh, records);
    } catch (error) {
      this.#fail(which, error);
    }
  }

  #syncSoon(): void {
    this.#unsynced = true;
    this.#syncTimer ??= setTimeout(async () => {
      await this.#sync();
      this.#syncTimer = undefined;
      if (this.#unsynced && !this.#stopped) this.#syncSoon();
    }, syncMs);
  }

  async #sync(): Promise<void> {
    const { disk, dir } = this.#options;
    const current = this.#current;
    if (current === undefined || !this.#unsynced) return;
    this.#unsynced = false;
    try {
      await current.file.sync();
      if (this.#isNewName) await disk.syncDir(dir);
      this.#isNewName = false;
    } catch (error) {
      // Its successor has all that was in it.
      if (current === this.#current) this.#fail("current", error);
    }
  }

  /** That file cannot be used any more: it may end with half a record, or have lost some. */
  #fail(which: "current" | "fresh", error: unknown): void {
    this.#close(which);
    if (this.#failedMs === undefined) {
      log(`alert: cannot write tally/greylist: ${describeError(error)}; greylisting goes on in memory`);
    }
    this.#failedMs = this.#options.nowMs();
  }

  #close(which: "current" | "fresh"): void {
    const open = which === "current" ? this.#current : this.#fresh;
    open?.file.close();
    if (which === "current") this.#current = undefined;
    else this.#fresh = undefined;
  }

  #startRewrite(): void {
    if (this.#stopped || this.#rewriting !== undefined) return;
    if (this.#failedMs !== undefined && this.#options.nowMs() - this.#failedMs < retryMs) return;
    this.#rewriting = this.#rewrite().finally(() => this.#rewriting = undefined);
  }

  async #rewrite(): Promise<void> {
    const { disk, dir } = this.#options;
    try {
      disk.remove(this.#freshPath);
      const fresh: Open = { file: disk.create(this.#freshPath, mode), records: 0 };
      this.#fresh = fresh;
      if (!await this.#writeAll(fresh)) return;
      disk.rename(this.#freshPath, this.#path);
      this.#close("current");
      this.#current = fresh;
      this.#fresh = undefined;
      // What came while it was synced may not have been covered.
      if (!this.#stopped) this.#syncSoon();
      await disk.syncDir(dir);
      if (this.#failedMs !== undefined) logEvent("greylist_saved", { records: fresh.records });
      this.#failedMs = undefined;
    } catch (error) {
      this.#fail("fresh", error);
    } finally {
      this.#close("fresh");
    }
  }

  /** Writes and syncs all there is; false where the new file is not to be used: a write failed, or all ends. */
  async #writeAll(fresh: Open): Promise<boolean> {
    const isOn = () => this.#fresh === fresh && !this.#stopped;
    let slice: GreylistRecord[] = [];
    for (const record of this.#options.greylist.records()) {
      slice.push(record);
      if (slice.length < sliceRecords) continue;
      writeTo(fresh, slice);
      slice = [];
      // What changes in this pause is written behind the slices before it.
      await breathe();
      if (!isOn()) return false;
    }
    writeTo(fresh, slice);
    await fresh.file.sync();
    return isOn();
  }
}

function writeTo(open: Open | undefined, records: readonly GreylistRecord[]): void {
  if (open === undefined || records.length === 0) return;
  open.file.writeAt(open.records * recordBytes, formatRecords(records));
  open.records += records.length;
}
