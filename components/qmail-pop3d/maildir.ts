/**
 * What a Maildir's files are asked and told. No symlink is followed but those of the operator above the mailbox's home: all
 * virtual mailboxes belong to one account, and a link in one could lead into another.
 * @module
 */
import fs from "node:fs";
import { ifThere } from "../lib/disk/if_there.ts";
import { stayBelow } from "../lib/disk/stays_below.ts";
import { isMessageName, stableName } from "./names.ts";
import { type Folder, type MessageFile, Snapshot } from "./snapshot.ts";

const folders: readonly Folder[] = ["new", "cur"];
/** Files looked at in one go, before others have their turn: some ten milliseconds. */
const sliceFiles = 1000;
/** A folder that changed less than this before it was read may change again without another mtime. */
const settledMs = 2000;
/** What is left in tmp for so long belongs to nobody (qmail's limit). */
const abandonedMs = 129_600_000;

/** What was read, and what tells whether it still is so. */
export interface Reading {
  readonly snapshot: Snapshot;
  /** mtimes of new and cur, and when the reading began. */
  readonly stamps: readonly number[];
  readonly begunMs: number;
}

export interface ScanOptions {
  readonly nowMs: number;
  readonly breathe: () => Promise<void>;
}

export class Maildir {
  readonly path: string;
  readonly #within: string;

  /** `home` of the mailbox, absolute. `staysInHome`: it may be a symlink that leads to another place in the home. */
  constructor(home: string, { staysInHome = true }: { readonly staysInHome?: boolean } = {}) {
    this.path = `${home}/Maildir`;
    this.#within = staysInHome ? home : this.path;
  }

  /** Whether its folders are there, and below what they have to lie in. Throws what the system says besides. */
  isThere(): boolean {
    return ifThere(() => {
      if (this.#within === this.path && !Deno.lstatSync(this.path).isDirectory) return false;
      return stayBelow(this.#within, folders.map((folder) => `${this.path}/${folder}`));
    }) === true;
  }

  /** Reads new and cur. Of what `before` knows only the names are asked for. Throws what the system says. */
  async scan(before: Reading | undefined, { nowMs, breathe }: ScanOptions): Promise<Reading> {
    const stamps = folders.map((folder) => Deno.statSync(`${this.path}/${folder}`).mtime?.getTime() ?? 0);
    if (before !== undefined && (isCurrent(before, stamps) || isOfThisSecond(before, nowMs))) return before;
    const known = before?.snapshot.byStableName();
    const files: MessageFile[] = [];
    let looked = 0;
    for (const folder of folders) {
      for (const { name, isFile } of Deno.readDirSync(`${this.path}/${folder}`)) {
        if (!isFile || !isMessageName(name)) continue;
        const old = known?.get(stableName(name));
        const file = old === undefined ? this.#look(folder, name) : { ...old, folder, name };
        if (file !== undefined) files.push(file);
        if (old === undefined && ++looked % sliceFiles === 0) await breathe();
      }
    }
    return { snapshot: new Snapshot(files), stamps, begunMs: nowMs };
  }

  #look(folder: Folder, name: string): MessageFile | undefined {
    const info = ifThere(() => Deno.lstatSync(`${this.path}/${folder}/${name}`));
    if (info === undefined || !info.isFile) return undefined;
    return { folder, name, sizeBytes: info.size, mtimeMs: info.mtime?.getTime() ?? 0 };
  }

  /** Opens a message for reading; undefined where it is gone. Throws what the system says besides. */
  open(file: MessageFile): OpenMessage | undefined {
    return ifThere(() => openRegular(`${this.path}/${file.folder}/${file.name}`));
  }

  /** Removes a message; `false` where it is gone. Throws what the system says besides. */
  remove({ folder, name }: MessageFile): boolean {
    const path = `${this.path}/${folder}/${name}`;
    return ifThere(() => {
      // Deno would remove an empty folder, too.
      if (!Deno.lstatSync(path).isFile) return false;
      Deno.removeSync(path);
      return true;
    }) === true;
  }

  /** Moves a message that was seen from new to cur; `false` where it is gone. */
  move(from: MessageFile, to: MessageFile): boolean {
    return ifThere(() => {
      Deno.renameSync(`${this.path}/${from.folder}/${from.name}`, `${this.path}/${to.folder}/${to.name}`);
      return true;
    }) === true;
  }

  /** Where a message is now that is not where it was; undefined: nowhere. Reads the names in both folders. */
  locate(file: MessageFile): MessageFile | undefined {
    const stable = stableName(file.name);
    for (const folder of folders) {
      for (const { name, isFile } of Deno.readDirSync(`${this.path}/${folder}`)) {
        if (isFile && name.startsWith(stable) && stableName(name) === stable) return { ...file, folder, name };
      }
    }
    return undefined;
  }

  /** Removes what dead deliveries left in tmp. */
  cleanTmp(nowMs: number): void {
    ifThere(() => {
      if (!stayBelow(this.#within, [`${this.path}/tmp`])) return;
      for (const { name } of Deno.readDirSync(`${this.path}/tmp`)) {
        const path = `${this.path}/tmp/${name}`;
        const info = ifThere(() => Deno.lstatSync(path));
        if (info?.isFile !== true) continue;
        const usedMs = Math.max(info.atime?.getTime() ?? nowMs, info.mtime?.getTime() ?? nowMs);
        if (nowMs - usedMs > abandonedMs) ifThere(() => Deno.removeSync(path));
      }
    });
  }
}

function isCurrent({ stamps, begunMs }: Reading, now: readonly number[]): boolean {
  return stamps.every((stamp, at) => stamp === now[at] && stamp + settledMs < begunMs);
}

/** What came since is of this second, too, and not to be seen before the next one ({@link Snapshot.countBefore}). */
function isOfThisSecond({ begunMs }: Reading, nowMs: number): boolean {
  return Math.floor(begunMs / 1000) === Math.floor(nowMs / 1000);
}

/** The same files as a state that is over: their names have to be read again. */
export function outdated(reading: Reading): Reading {
  return { ...reading, begunMs: -Infinity };
}

/** A message that is open. */
export class OpenMessage implements Disposable {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** The next octets, in a part of `buffer`; empty at the end. */
  read(buffer: Uint8Array): Uint8Array {
    return buffer.subarray(0, fs.readSync(this.#fd, buffer, 0, buffer.length, null));
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#fd);
  }
}

/** Throws NotFound for what is no regular file, a symlink included: deno knows no O_NOFOLLOW. */
function openRegular(path: string): OpenMessage {
  if (!Deno.lstatSync(path).isFile) throw new Deno.errors.NotFound("no regular file");
  let fd: number;
  try {
    // Without O_NONBLOCK a FIFO that came a moment ago would hold up every session.
    fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === "ENOENT") throw new Deno.errors.NotFound("gone");
    throw error;
  }
  const open = new OpenMessage(fd);
  try {
    const [{ ino, dev }, entry] = [fs.fstatSync(fd), fs.lstatSync(path)];
    if (entry.isFile() && entry.ino === ino && entry.dev === dev) return open;
  } catch (error) {
    open[Symbol.dispose]();
    if ((error as { readonly code?: unknown }).code === "ENOENT") throw new Deno.errors.NotFound("gone");
    throw error;
  }
  open[Symbol.dispose]();
  throw new Deno.errors.NotFound("another file");
}
