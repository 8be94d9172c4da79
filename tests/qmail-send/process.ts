/**
 * A process of the tests: it has a disk and timers, and once it is killed nothing it does has an effect any more. Several
 * share one {@link FakeDisk}, so that each can be killed by itself, at any operation of its own.
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Disk, DiskFile, FileStat, Held } from "../../components/lib/disk/disk.ts";
import { Crash, type FakeDisk } from "../support/fake_disk.ts";

const current = new AsyncLocalStorage<Process | undefined>();

export class Process implements Disk {
  readonly #disk: FakeDisk;
  readonly #trouble: (what: string) => string | undefined;
  #stopAt = Infinity;
  /** As {@link FakeDisk.operations}, this process's only. */
  readonly operations: string[] = [];
  /** The same for what only looks. */
  readonly looks: string[] = [];
  /** Timers it has started. */
  timers = 0;
  /** Files opened and not closed. */
  open = 0;
  dead = false;

  /** `trouble`: the code with which an operation fails; the others work. */
  constructor(disk: FakeDisk, trouble: (what: string) => string | undefined) {
    this.#disk = disk;
    this.#trouble = trouble;
  }

  /** Does work of this process: timers it sets die with it. */
  run<T>(work: () => T): T {
    return current.run(this, work);
  }

  kill(): void {
    this.dead = true;
  }

  /** It is killed at its operation `n` from now on, counted from 0; a write leaves half of its octets. */
  killAt(n: number): void {
    this.#stopAt = this.operations.length + n;
  }

  // --- Disk; reading does no harm, and stays possible

  create(path: string, mode: number): DiskFile {
    this.#operate(`create ${path}`);
    return this.#file(this.#disk.create(path, mode), path);
  }

  openWrite(path: string): DiskFile {
    this.#operate(`open ${path}`);
    return this.#file(this.#disk.openWrite(path), path);
  }

  openEmpty(path: string): DiskFile {
    this.#operate(`empty ${path}`);
    return this.#file(this.#disk.openEmpty(path), path);
  }

  openAppend(path: string, mode: number): DiskFile {
    this.#operate(`append ${path}`);
    return this.#file(this.#disk.openAppend(path, mode), path);
  }

  hold(path: string): Held | undefined {
    this.looks.push(`hold ${path}`);
    return this.#disk.hold(path);
  }

  readFile(path: string): Uint8Array {
    this.looks.push(`read ${path}`);
    return this.#disk.readFile(path);
  }

  readStart(path: string, count: number): Uint8Array {
    this.looks.push(`read ${path}`);
    return this.#disk.readStart(path, count);
  }

  exists(path: string): boolean {
    this.looks.push(`exists ${path}`);
    return this.#disk.exists(path);
  }

  stat(path: string): FileStat | undefined {
    this.looks.push(`stat ${path}`);
    return this.#disk.stat(path);
  }

  link(from: string, to: string): void {
    this.#operate(`link ${from} ${to}`);
    this.#disk.link(from, to);
  }

  rename(from: string, to: string): void {
    this.#operate(`rename ${from} ${to}`);
    this.#disk.rename(from, to);
  }

  remove(path: string): void {
    this.#operate(`remove ${path}`);
    this.#disk.remove(path);
  }

  setMtime(path: string, seconds: number): void {
    this.#operate(`utime ${path}`);
    this.#disk.setMtime(path, seconds);
  }

  list(dir: string): string[] {
    this.looks.push(`list ${dir}`);
    return this.#disk.list(dir);
  }

  async listLong(dir: string): Promise<string[]> {
    const names = this.list(dir);
    // As long as it takes, the folder changes.
    await this.#disk.listLong(dir);
    return names;
  }

  async syncDir(dir: string): Promise<void> {
    this.#operate(`syncdir ${dir}`);
    await this.#disk.syncDir(dir);
    this.#checkAlive();
  }

  #file(file: DiskFile, path: string): DiskFile {
    this.open++;
    const write = (octets: Uint8Array, put: (octets: Uint8Array) => void) => {
      this.#operate(`write ${path}`, () => put(octets.subarray(0, octets.length >> 1)));
      put(octets);
    };
    let isOpen = true;
    return {
      inode: file.inode,
      sizeBytes: file.sizeBytes,
      write: (octets) => write(octets, (part) => file.write(part)),
      writeAt: (offset, octets) => write(octets, (part) => file.writeAt(offset, part)),
      writeMuch: async (offset, octets) => {
        write(octets, (part) => file.writeAt(offset, part));
        await Promise.resolve();
      },
      readAt: (offset, count) => file.readAt(offset, count),
      sync: async () => {
        this.#operate(`sync ${path}`);
        await file.sync();
        this.#checkAlive();
      },
      syncNow: () => {
        this.#operate(`sync ${path}`);
        file.syncNow();
      },
      close: () => {
        if (isOpen) this.open--;
        isOpen = false;
        file.close();
      },
    };
  }

  #operate(what: string, last?: () => void): void {
    this.#checkAlive();
    if (this.operations.length >= this.#stopAt) {
      last?.();
      this.dead = true;
      throw new Crash(`before ${what}`);
    }
    this.operations.push(what);
    const code = this.#trouble(what);
    if (code !== undefined) throw Object.assign(new Error(`${code}: ${what}`), { code });
  }

  #checkAlive(): void {
    if (this.dead) throw new Crash("it has been killed");
  }
}

/** Does work of no process, which none of them takes with it. */
export function outside<T>(work: () => T): T {
  return current.run(undefined, work);
}

/**
 * Until its scope ends, a timer goes with the process that set it, and what ends a process ({@link Crash}) ends no test.
 * Another fake of `setTimeout` has to be in place before.
 */
export function separateProcesses(): Disposable {
  const later = globalThis.setTimeout;
  const run = (process: Process | undefined, work: () => void) => {
    if (process?.dead === true) return;
    try {
      current.run(process, work);
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
  };
  globalThis.setTimeout = ((work: () => void, ms?: number) => {
    const process = current.getStore();
    if (process !== undefined) process.timers++;
    return later(() => run(process, work), ms);
  }) as typeof setTimeout;
  return { [Symbol.dispose]: () => void (globalThis.setTimeout = later) };
}
