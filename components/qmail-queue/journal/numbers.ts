/**
 * Numbers for messages in the journal. A message's number is the inode of its mess file, also before it has one: an empty
 * file in journal/numbers keeps the inode, and becomes the mess file should the message ever need one. So a message has
 * one number in every log line, and what is moved into the layout is as qmail wants it. Files are made in advance, a few
 * at a time, and used again and again: a message that only passes through the journal makes none. Their own names say
 * nothing: to name a file after its inode would take a second operation on the disk, half as dear as the first.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import type { Disk } from "../../lib/disk/disk.ts";
import { isKeptName, journalNumbers, keptName, parseKeptName, queueFile } from "../../lib/queue/layout.ts";
import { Quiet } from "./quiet.ts";

/** After trouble none is made for so long: the disk is full, say. */
const restMs = 10_000;
/** Files made before a sync of their folder, so many in one turn of the event loop. */
const mostAtOnce = 256;
const inOneTurn = 16;
/** With a crowd in the house, so many times what is usually ready. */
const readyForCrowd = 4;

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
  /** The file of each number. */
  readonly #names = new Map<number, string>();
  /** First in, first out: a number that comes back late is easier to tell apart in a log. */
  readonly #free = new Set<number>();
  readonly #used = new Set<number>();
  /** Made, but not sure to outlive a power loss. */
  readonly #unsynced = new Set<number>();
  #refilling: Promise<void> | undefined;
  /** Names below it were given already. */
  #nextName = 0;
  #closed = false;
  #rest: ReturnType<typeof setTimeout> | undefined;
  #taken = 0;
  readonly #quiet = new Quiet({
    comers: () => this.#taken,
    wants: () => this.#rest === undefined && this.#free.size < this.#readyInQuiet,
    make: (goOn) => this.#makeWhile(() => this.#runsShort || goOn()),
  });

  constructor(disk: Disk, home: Home, options: NumbersOptions, onTrouble: (error: unknown) => void) {
    this.#disk = disk;
    this.#home = home;
    this.#options = options;
    this.#onTrouble = onTrouble;
  }

  /** Finds what a predecessor kept. A queue that was copied has kept none of its own: all its files have other inodes. */
  recover(): void {
    for (const name of this.#disk.list(journalNumbers(this.#home))) {
      const id = isKeptName(name) ? this.#disk.stat(this.#pathOf(name))?.inode : undefined;
      this.#nextName = Math.max(this.#nextName, (parseKeptName(name) ?? -1) + 1);
      // One name of an inode is enough.
      if (id === undefined || this.#names.has(id)) this.#disk.remove(this.#pathOf(name));
      else {
        this.#names.set(id, name);
        this.#free.add(id);
      }
    }
  }

  #pathOf(name: string): string {
    return `${journalNumbers(this.#home)}/${name}`;
  }

  /** The file that keeps it. Throws where it is not kept. */
  path(id: number): string {
    const name = this.#names.get(id);
    if (name === undefined) throw new Error(`no file keeps the number ${id}`);
    return this.#pathOf(name);
  }

  #drop(id: number): void {
    const name = this.#names.get(id);
    if (name === undefined) return;
    this.#disk.remove(this.#pathOf(name));
    this.#names.delete(id);
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
      this.#drop(id);
    }
    for (const id of this.#free) {
      if (this.#free.size <= this.#options.most) return;
      this.#free.delete(id);
      this.#drop(id);
    }
  }

  /** One that nobody has, or undefined: more are on their way then. */
  take(): number | undefined {
    const [id] = this.#free;
    this.#taken++;
    if (this.#runsShort) void this.refill();
    else this.#quiet.look();
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
    this.#drop(id);
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
      this.#quiet.look();
    });
    return this.#refilling;
  }

  /** Where a crowd has been, the next one may be larger. */
  get #readyInQuiet(): number {
    const { ready, most } = this.#options;
    return this.#used.size > ready ? most : this.#used.size;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#rest);
    this.#quiet.close();
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
    const name = keptName(this.#nextName++);
    const file = this.#disk.create(this.#pathOf(name), 0o644);
    const { inode } = file;
    file.close();
    // A queue that was copied has files under other numbers than their inodes; theirs stay theirs.
    if (this.#disk.exists(queueFile(this.#home, "mess", inode))) {
      this.#disk.remove(this.#pathOf(name));
      throw new Error(`mess/${inode} is taken by a file of another inode`);
    }
    this.#names.set(inode, name);
    return inode;
  }
}
