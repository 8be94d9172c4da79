/**
 * Numbers for messages in the journal. A message's number is the inode of its mess file, also before it has one: an empty
 * file in journal/numbers keeps the inode, and becomes the mess file should the message ever need one. So a message has
 * one number in every log line, and what is moved into the layout is as qmail wants it. Files are made in advance, a few
 * at a time, and used again and again: a message that only passes through the journal makes none.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import type { Disk } from "../../lib/disk/disk.ts";
import { journalNumbers, newNumberName, parseQueueId, queueFile } from "../../lib/queue/layout.ts";

/** After trouble none is made for so long: the disk is full, say. */
const restMs = 10_000;
/** Files made before a sync of their folder, so many in one turn of the event loop. */
const mostAtOnce = 256;
const inOneTurn = 16;
/** With a crowd in the house, so many times what is usually ready. */
const readyForCrowd = 4;
/** It is quiet when none was taken for so long. */
const quietMs = 100;

export interface NumbersOptions {
  /** So many are kept ready. */
  readonly ready: number;
  /** After a crowd so many are made in quiet moments, for the next one; at a start, those beyond this are removed. */
  readonly most: number;
  /** Settles in a later turn of the event loop. */
  breathe(): Promise<void>;
}

export class Numbers {
  readonly #disk: Disk;
  readonly #home: Home;
  readonly #options: NumbersOptions;
  readonly #onTrouble: (error: unknown) => void;
  /** First in, first out: a number that comes back late is easier to tell apart in a log. */
  readonly #free = new Set<number>();
  readonly #used = new Set<number>();
  /** Made, but not sure to outlive a power loss. */
  readonly #unsynced = new Set<number>();
  #refilling: Promise<void> | undefined;
  #made = 0;
  #closed = false;
  #rest: ReturnType<typeof setTimeout> | undefined;
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #taken = 0;

  constructor(disk: Disk, home: Home, options: NumbersOptions, onTrouble: (error: unknown) => void) {
    this.#disk = disk;
    this.#home = home;
    this.#options = options;
    this.#onTrouble = onTrouble;
  }

  /** Finds what a predecessor kept. A name that is not its file's inode (the queue was copied) keeps nothing, and goes. */
  recover(): void {
    for (const name of this.#disk.list(journalNumbers(this.#home))) {
      const path = `${journalNumbers(this.#home)}/${name}`;
      const id = parseQueueId(name);
      if (id !== undefined && this.#disk.stat(path)?.inode === id) this.#free.add(id);
      else this.#disk.remove(path);
    }
  }

  /** Takes this one, which a recovered message has; false: it is not kept, or somebody has it already. */
  claim(id: number): boolean {
    if (!this.#free.delete(id)) return false;
    this.#used.add(id);
    return true;
  }

  /** Removes what no recovered message claimed, beyond a limit, and what has become a message of the layout. */
  trim(): void {
    for (const id of this.#free) {
      if (this.#disk.stat(queueFile(this.#home, "mess", id)) === undefined) continue;
      this.#free.delete(id);
      this.#disk.remove(journalNumbers(this.#home, id));
    }
    for (const id of this.#free) {
      if (this.#free.size <= this.#options.most) return;
      this.#free.delete(id);
      this.#disk.remove(journalNumbers(this.#home, id));
    }
  }

  /** One that nobody has, or undefined: more are on their way then. */
  take(): number | undefined {
    const [id] = this.#free;
    this.#taken++;
    if (this.#runsShort) void this.refill();
    else this.#growWhenQuiet();
    if (id === undefined) return undefined;
    this.claim(id);
    return id;
  }

  /** One that nobody has, made on the spot where none is ready: not sure to outlive a power loss. Throws what the disk says. */
  takeNow(): number {
    const id = this.take() ?? this.#makeOne();
    this.#used.add(id);
    return id;
  }

  /** Its message is done. */
  release(id: number): void {
    if (this.#used.delete(id)) this.#free.add(id);
  }

  /** Its message has a mess file now, of the same inode: it is kept by that. Throws what the disk says. */
  moved(id: number): void {
    this.#used.delete(id);
    this.#disk.remove(journalNumbers(this.#home, id));
  }

  /** Settles when enough are ready, or the disk takes no more. */
  refill(): Promise<void> {
    return this.#makeWhile(() => this.#runsShort);
  }

  get #runsShort(): boolean {
    const { ready } = this.#options;
    return this.#free.size < Math.min(Math.max(ready, this.#used.size), readyForCrowd * ready);
  }

  #makeWhile(wanted: () => boolean): Promise<void> {
    if (this.#rest !== undefined) return Promise.resolve();
    this.#refilling ??= this.#make(wanted).catch((error) => {
      this.#onTrouble(error);
      if (!this.#closed) this.#rest = setTimeout(() => this.#rest = undefined, restMs);
    }).finally(() => {
      this.#refilling = undefined;
      this.#growWhenQuiet();
    });
    return this.#refilling;
  }

  /** Where a crowd has been, the next one may be larger. */
  get #readyInQuiet(): number {
    const { ready, most } = this.#options;
    return this.#used.size > ready ? most : this.#used.size;
  }

  #growWhenQuiet(): void {
    const taken = this.#taken;
    const wanted = () => this.#runsShort || taken === this.#taken && this.#free.size < this.#readyInQuiet;
    if (this.#closed || this.#quiet !== undefined || this.#rest !== undefined || !wanted()) return;
    this.#quiet = setTimeout(() => {
      this.#quiet = undefined;
      if (wanted()) void this.#makeWhile(wanted);
      else this.#growWhenQuiet();
    }, quietMs);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#rest);
    clearTimeout(this.#quiet);
  }

  async #make(wanted: () => boolean): Promise<void> {
    while (!this.#closed && wanted()) {
      // As many again as there are: few where few are needed.
      const batch = Math.min(mostAtOnce, Math.max(inOneTurn, this.#free.size, this.#options.ready - this.#free.size));
      while (this.#unsynced.size < batch) {
        this.#unsynced.add(this.#makeOne());
        if (this.#unsynced.size % inOneTurn === 0 && this.#unsynced.size < batch) await this.#options.breathe();
        if (this.#closed) break;
      }
      // A record may name them only when they are sure to be there: after a power loss its number would be another's.
      await this.#disk.syncDir(journalNumbers(this.#home));
      for (const id of this.#unsynced) this.#free.add(id);
      this.#unsynced.clear();
    }
  }

  #makeOne(): number {
    const birthName = `${journalNumbers(this.#home)}/${newNumberName(this.#made++)}`;
    const file = this.#disk.create(birthName, 0o644);
    file.close();
    try {
      // A queue that was copied has files under other numbers than their inodes; theirs stay theirs.
      if (this.#disk.exists(queueFile(this.#home, "mess", file.inode))) {
        throw new Error(`mess/${file.inode} is taken by a file of another inode`);
      }
      this.#disk.rename(birthName, journalNumbers(this.#home, file.inode));
    } catch (error) {
      this.#disk.remove(birthName);
      throw error;
    }
    return file.inode;
  }
}
