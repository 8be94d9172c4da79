/**
 * A folder of log files as multilog of daemontools keeps it: `current` grows until it has enough octets, gets the name of
 * its time (TAI64N), and the oldest file goes when there are too many. `current` is executable for its owner when it was
 * closed in order; one that is not may end in the middle of a line.
 * @module
 */
import { formatTai64n, parseTai64n } from "../lib/trace/tai64n.ts";
import { ifThere } from "../lib/disk/if_there.ts";
import { finishedLogs } from "./log_files.ts";

export interface LogLimits {
  /** Octets of one file. */
  readonly logbytes: number;
  /** Files in all, `current` among them; at least 2. */
  readonly logfiles: number;
}

const [openMode, closedMode] = [0o644, 0o744];
const lineEnd = 10;

export class LogFolder {
  limits: LogLimits;
  readonly #dir: string;
  readonly #nowMs: () => number;
  #current: Deno.FsFile | undefined;
  #size = 0;

  constructor(dir: string, limits: LogLimits, nowMs: () => number = Date.now) {
    this.#dir = dir;
    this.limits = limits;
    this.#nowMs = nowMs;
  }

  /**
   * Writes lines, whole ones; answers how many octets of them it has written, all unless `trouble` says what the disk said.
   * What is missing then may be part of a line, and has to be what comes next.
   */
  async write(lines: Uint8Array): Promise<{ readonly written: number; readonly trouble?: unknown }> {
    let at = 0;
    try {
      while (at < lines.length) {
        const file = this.#open();
        const end = at + this.#fitting(lines.subarray(at));
        if (end === at) await this.#finish();
        while (at < end) {
          const count = file.writeSync(lines.subarray(at, end));
          at += count;
          this.#size += count;
        }
      }
      return { written: at };
    } catch (trouble) {
      return { written: at, trouble };
    }
  }

  /** How many octets of `lines` go into the file that is open: whole lines; 0 where the next file is to have them. */
  #fitting(lines: Uint8Array): number {
    const room = this.limits.logbytes - this.#size;
    if (lines.length <= room) return lines.length;
    const fitting = room <= 0 ? 0 : lines.lastIndexOf(lineEnd, room - 1) + 1;
    // A line that no file has room for.
    if (fitting === 0 && this.#size === 0) return lines.indexOf(lineEnd) + 1 || lines.length;
    return fitting;
  }

  #open(): Deno.FsFile {
    if (this.#current !== undefined) return this.#current;
    const path = `${this.#dir}/current`;
    const left = ifThere(() => Deno.lstatSync(path));
    if (left !== undefined && ((left.mode ?? 0) & 0o100) === 0) {
      if (left.size === 0) Deno.removeSync(path);
      else this.#rename(".u");
    }
    this.#current = Deno.openSync(path, { append: true, create: true, mode: openMode });
    this.#size = this.#current.statSync().size;
    Deno.chmodSync(path, openMode);
    return this.#current;
  }

  /** Closes `current` on stable storage and gives it its name. */
  async #finish(): Promise<void> {
    await this.#close();
    this.#rename(".s");
    this.#removeOld();
  }

  async #close(): Promise<void> {
    const file = this.#current;
    if (file === undefined) return;
    await file.syncData();
    Deno.chmodSync(`${this.#dir}/current`, closedMode);
    this.#current = undefined;
    file.close();
  }

  #rename(suffix: ".s" | ".u"): void {
    const newest = finishedLogs(this.#dir).at(-1);
    const newestMs = newest === undefined ? 0 : parseTai64n(newest.slice(0, -2)) ?? 0;
    // In order, and no two alike, also where the clock was set back.
    const ms = Math.max(this.#nowMs(), newestMs + 1);
    Deno.renameSync(`${this.#dir}/current`, `${this.#dir}/${formatTai64n(ms)}${suffix}`);
  }

  #removeOld(): void {
    const names = finishedLogs(this.#dir);
    const excess = names.length - (Math.max(2, this.limits.logfiles) - 1);
    for (const name of names.slice(0, Math.max(0, excess))) ifThere(() => Deno.removeSync(`${this.#dir}/${name}`));
  }

  /** The file is whole. */
  async close(): Promise<void> {
    await this.#close();
  }
}
