/**
 * All disk access of qmail-queue, qmail-send and qmail-clean, and of qmail-local in a Maildir. Metadata calls are
 * synchronous (they cost microseconds, awaiting one costs more), calls that make the disk wait are asynchronous, so that
 * many overlap. One small module, so that a test can put a failing disk in its place.
 * @module
 */
import { nodeFs } from "../process/builtin.ts";
import { ifThere } from "./if_there.ts";
import { readAt } from "./read_at.ts";

/** What `stat` tells; times in whole seconds since 1970. */
export interface FileStat {
  readonly inode: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  /** When anything about it changed last, its mtime included; absent where the system does not tell. */
  readonly ctimeSeconds?: number | undefined;
  readonly isFile: boolean;
}

export interface DiskFile {
  /** To be asked for while the file is open. */
  readonly inode: number;
  /** As it was when the file was opened. */
  readonly sizeBytes: number;
  /** Writes all octets at the current position. */
  write(octets: Uint8Array): void;
  /** Writes all octets at `offset`. */
  writeAt(offset: number, octets: Uint8Array): void;
  /** The same, by another thread: for much at once, while nobody else uses the file. */
  writeMuch(offset: number, octets: Uint8Array): Promise<void>;
  /** `count` octets from `offset` on; fewer where the file ends. The position for {@link write} is lost. */
  readAt(offset: number, count: number): Uint8Array;
  /** Data on stable storage. */
  sync(): Promise<void>;
  /** The same, and nothing else is done meanwhile: sooner, where the disk answers before a thread would be awake. */
  syncNow(): void;
  close(): void;
}

/** A file that is kept open, and nothing else. */
export interface Held {
  close(): void;
}

export interface Disk {
  /** Makes a new file, open for reading and writing; throws `AlreadyExists`. */
  create(path: string, mode: number): DiskFile;
  /** Opens a file for reading, and for writing in place; throws `NotFound`. */
  openWrite(path: string): DiskFile;
  /** Opens a file and empties it; throws `NotFound`. */
  openEmpty(path: string): DiskFile;
  /** Opens a file for appending, making it where it is absent. */
  openAppend(path: string, mode: number): DiskFile;
  /** Keeps a file's inode from being given to another, whatever becomes of its names; `undefined` when there is none. */
  hold(path: string): Held | undefined;
  readFile(path: string): Uint8Array;
  /** The first `count` octets of a file; fewer where it has no more. */
  readStart(path: string, count: number): Uint8Array;
  /** `undefined` when there is nothing of that name. Does not follow a symlink. */
  stat(path: string): FileStat | undefined;
  /** Whether there is a file of that name: cheaper where there is none. */
  exists(path: string): boolean;
  link(from: string, to: string): void;
  rename(from: string, to: string): void;
  /** Removes a name; content when it was not there. */
  remove(path: string): void;
  setMtime(path: string, seconds: number): void;
  list(dir: string): string[];
  /** The same for a folder that may hold very many: others run in between. */
  listLong(dir: string): Promise<string[]>;
  /** A folder's entries on stable storage: all that were made before this call. Callers at one time share one sync. */
  syncDir(dir: string): Promise<void>;
}

class RealFile implements DiskFile {
  readonly sizeBytes: number;
  readonly #file: Deno.FsFile;
  #inode: number | undefined;

  constructor(file: Deno.FsFile, sizeBytes: number, inode?: number) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
    this.#inode = inode;
  }

  get inode(): number {
    this.#inode ??= this.#file.statSync().ino ?? 0;
    return this.#inode;
  }

  write(octets: Uint8Array): void {
    for (let at = 0; at < octets.length;) at += this.#file.writeSync(octets.subarray(at));
  }

  writeAt(offset: number, octets: Uint8Array): void {
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    this.write(octets);
  }

  async writeMuch(offset: number, octets: Uint8Array): Promise<void> {
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    for (let at = 0; at < octets.length;) at += await this.#file.write(octets.subarray(at));
  }

  readAt(offset: number, count: number): Uint8Array {
    return readAt(this.#file, offset, count);
  }

  sync(): Promise<void> {
    return this.#file.syncData();
  }

  syncNow(): void {
    this.#file.syncDataSync();
  }

  close(): void {
    this.#file.close();
  }
}

/** Shares syncs of a folder: whoever asks while one runs waits for the next, which covers them all. */
class DirSyncs {
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  sync(dir: string): Promise<void> {
    const running = this.#running.get(dir);
    if (running === undefined) return this.#start(dir);
    let next = this.#next.get(dir);
    if (next === undefined) {
      next = running.catch(() => {}).then(() => {
        this.#next.delete(dir);
        return this.#start(dir);
      });
      this.#next.set(dir, next);
    }
    return next;
  }

  #start(dir: string): Promise<void> {
    const done = this.#syncNow(dir).finally(() => {
      if (this.#running.get(dir) === done) this.#running.delete(dir);
    });
    this.#running.set(dir, done);
    return done;
  }

  async #syncNow(dir: string): Promise<void> {
    // A folder opened for reading is what Linux lets one fsync.
    const handle = Deno.openSync(dir, { read: true });
    try {
      await handle.sync();
    } finally {
      handle.close();
    }
  }
}

function openFile(path: string, options: Deno.OpenOptions): DiskFile {
  const file = Deno.openSync(path, options);
  const { size, ino } = file.statSync();
  return new RealFile(file, size, ino ?? 0);
}

/** It is empty, and hardly anybody asks for its inode. */
function createFile(path: string, mode: number): DiskFile {
  return new RealFile(Deno.openSync(path, { read: true, write: true, createNew: true, mode }), 0);
}

/** What a start asks. Only who goes on asking is worth node:fs (3 MiB), which answers in a fifth of the time where there is none. */
const fewQuestions = 300;

/** The disk of this machine. */
export function realDisk(): Disk {
  const dirs = new DirSyncs();
  let asked = 0;
  return {
    create: createFile,
    openWrite: (path) => openFile(path, { read: true, write: true }),
    openEmpty: (path) => openFile(path, { write: true, truncate: true }),
    openAppend: (path, mode) => openFile(path, { append: true, create: true, mode }),
    hold: (path) => ifThere(() => Deno.openSync(path, { read: true })),
    readFile: (path) => Deno.readFileSync(path),
    readStart: (path, count) => {
      using file = Deno.openSync(path, { read: true });
      return readAt(file, 0, count);
    },
    stat: statOf,
    exists: (path) => ++asked > fewQuestions ? nodeFs().existsSync(path) : statOf(path) !== undefined,
    link: (from, to) => Deno.linkSync(from, to),
    rename: (from, to) => Deno.renameSync(from, to),
    remove: (path) => void ifThere(() => Deno.removeSync(path)),
    setMtime: (path, seconds) => Deno.utimeSync(path, seconds, seconds),
    list: (dir) => Array.from(Deno.readDirSync(dir), (entry) => entry.name),
    listLong: async (dir) => {
      const names: string[] = [];
      for await (const entry of Deno.readDir(dir)) names.push(entry.name);
      return names;
    },
    syncDir: (dir) => dirs.sync(dir),
  };
}

function statOf(path: string): FileStat | undefined {
  const info = ifThere(() => Deno.lstatSync(path));
  return info && {
    inode: info.ino ?? 0,
    sizeBytes: info.size,
    mtimeSeconds: Math.floor((info.mtime?.getTime() ?? 0) / 1000),
    ctimeSeconds: info.ctime === null ? undefined : Math.floor(info.ctime.getTime() / 1000),
    isFile: info.isFile,
  };
}
