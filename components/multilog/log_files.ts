/**
 * The files of a log folder, as multilog of daemontools keeps them: `current`, and those that are finished by the time of
 * their end (`@TAI64N.s`; `.u` where a crash may have cut the last line). Read as one text, the oldest first.
 * @module
 */
import { ifThere } from "../lib/disk/if_there.ts";
import { fromOctets } from "../lib/octets.ts";
import type { LogText } from "../lib/trace/search.ts";

const finished = /^@[0-9a-f]{24}\.[su]$/;

/** Whether a name is that of a finished file. */
export function isFinishedLog(name: string): boolean {
  return finished.test(name);
}

/** The finished files of a folder, the oldest first. Throws what the disk says. */
export function finishedLogs(dir: string): readonly string[] {
  return Array.from(Deno.readDirSync(dir), ({ name }) => name).filter(isFinishedLog).sort();
}

interface Part {
  readonly file: Deno.FsFile;
  readonly start: number;
  readonly size: number;
}

/** A log as it stood when it was opened: what is written, renamed or removed afterwards changes nothing. */
export class OpenLog implements LogText, Disposable {
  readonly size: number;
  readonly #parts: readonly Part[];

  /** Opens the files of `dir`; no folder is an empty log. Throws what the disk says. */
  constructor(dir: string) {
    const names = ifThere(() => finishedLogs(dir)) ?? [];
    const parts: Part[] = [];
    let start = 0;
    for (const name of [...names, "current"]) {
      // It may have been removed, or renamed, in between.
      const file = ifThere(() => Deno.openSync(`${dir}/${name}`));
      if (file === undefined) continue;
      const { size } = file.statSync();
      parts.push({ file, start, size });
      start += size;
    }
    this.#parts = parts;
    this.size = start;
  }

  read(from: number, to: number): string {
    const octets = new Uint8Array(Math.max(0, Math.min(to, this.size) - from));
    for (const { file, start, size } of this.#parts) {
      const [first, end] = [Math.max(from, start), Math.min(to, start + size)];
      if (first >= end) continue;
      file.seekSync(first - start, Deno.SeekMode.Start);
      for (let at = first; at < end;) {
        const count = file.readSync(octets.subarray(at - from, end - from));
        // Somebody cut it: what is missing is read as NUL.
        if (count === null) break;
        at += count;
      }
    }
    return fromOctets(octets);
  }

  [Symbol.dispose](): void {
    for (const { file } of this.#parts) file.close();
  }
}
