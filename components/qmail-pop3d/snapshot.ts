/**
 * The messages of a Maildir as they were at one moment, in qmail's order (by mtime). A hundred thousand of them take some
 * ten MiB; sessions of one mailbox share one while nothing changes.
 * @module
 */
import { seenName, stableName, uidOf } from "./names.ts";

export type Folder = "new" | "cur";

export interface MessageFile {
  readonly folder: Folder;
  readonly name: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

/** What a scan found: the mtimes of the folders, when it began, and the files. */
export class Snapshot {
  /** In the order of their numbers, from 0. */
  readonly #files: readonly MessageFile[];

  constructor(files: readonly MessageFile[]) {
    // By name where the times are the same: numbers must not depend on the folder's order.
    this.#files = [...files].sort((left, right) => left.mtimeMs - right.mtimeMs || (left.name < right.name ? -1 : 1));
  }

  get size(): number {
    return this.#files.length;
  }

  /** Numbers count from 1. */
  file(message: number): MessageFile {
    return this.#files[message - 1]!;
  }

  uid(message: number): string {
    return uidOf(this.file(message).name);
  }

  /**
   * How many there are to be seen: qmail leaves out those of the current second, so that a message that comes later in
   * it cannot stand before one that was listed.
   */
  countBefore(nowMs: number): number {
    const limitMs = Math.floor(nowMs / 1000) * 1000;
    let [low, high] = [0, this.#files.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#files[middle]!.mtimeMs < limitMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** What is known, by the stable part of the name. */
  byStableName(): ReadonlyMap<string, MessageFile> {
    return new Map(this.#files.map((file) => [stableName(file.name), file]));
  }
}

/** A file of new after it was moved to cur. */
export function seen(file: MessageFile): MessageFile {
  return { ...file, folder: "cur", name: seenName(file.name) };
}
