/**
 * What comes in on its way to the disk: cut into whole lines, counted, written; held for a while where the disk takes
 * nothing, and dropped where that lasts. Nobody in front ever waits for the disk.
 * @module
 */
import { describeError, log, logEvent } from "../lib/log/log.ts";
import { fromOctets } from "../lib/octets.ts";
import { RateCounter } from "../lib/trace/rates.ts";
import { concat } from "../lib/wire/frame.ts";
import type { LogFolder } from "./log_folder.ts";

/** What is held while nothing can be written; beyond it the newest lines are dropped. */
export const mostHeldBytes = 4 * 1024 * 1024;
/** A piece without a line end is written as it is. */
const longestLine = 64 * 1024;
const againMs = 1000;
const lineEnd = 10;

export class Keeper {
  readonly rates = new RateCounter();
  readonly #folder: LogFolder;
  readonly #nowMs: () => number;
  /** The beginning of a line. */
  #begun: Uint8Array = new Uint8Array(0);
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #lost = { lines: 0, bytes: 0 };
  #writing: Promise<void> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #inTrouble = false;
  #written = 0;

  constructor(folder: LogFolder, nowMs: () => number = Date.now) {
    this.#folder = folder;
    this.#nowMs = nowMs;
  }

  /** Octets written since the start. */
  get written(): number {
    return this.#written;
  }

  /** Takes octets, cut anywhere; they may be changed afterwards. Settles when they are written, or held. */
  async take(octets: Uint8Array): Promise<void> {
    const end = octets.lastIndexOf(lineEnd) + 1;
    if (end === 0) {
      this.#begun = concat([this.#begun, octets], this.#begun.length + octets.length);
      if (this.#begun.length > longestLine) this.#endLine();
      return;
    }
    const whole = concat([this.#begun, octets.subarray(0, end)], this.#begun.length + end);
    this.#begun = octets.slice(end);
    this.rates.count(fromOctets(whole), this.#nowMs());
    this.#hold(whole);
    if (!this.#inTrouble) await this.#write();
  }

  #endLine(): void {
    this.#hold(concat([this.#begun, new Uint8Array([lineEnd])], this.#begun.length + 1));
    this.#begun = new Uint8Array(0);
  }

  #hold(lines: Uint8Array): void {
    if (this.#heldBytes + lines.length > mostHeldBytes) {
      this.#lost.bytes += lines.length;
      this.#lost.lines += lines.reduce((count, octet) => count + (octet === lineEnd ? 1 : 0), 0);
      return;
    }
    this.#held.push(lines);
    this.#heldBytes += lines.length;
  }

  #write(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => this.#writing = undefined);
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#heldBytes > 0) {
      const lines = concat(this.#held, this.#heldBytes);
      this.#held = [lines];
      const { written, trouble } = await this.#folder.write(lines);
      this.#written += written;
      // Others may have come meanwhile.
      this.#held[0] = lines.subarray(written);
      this.#heldBytes -= written;
      if (written === lines.length) this.#held.shift();
      if (trouble !== undefined) return this.#waitFor(trouble);
    }
    if (this.#inTrouble) this.#recover();
  }

  #waitFor(trouble: unknown): void {
    // What is said of it comes back as a line of the log: once.
    if (!this.#inTrouble) log(`alert: cannot write the log: ${describeError(trouble)}; will try again`);
    this.#inTrouble = true;
    this.#again = setTimeout(() => void this.#write(), againMs);
  }

  #recover(): void {
    this.#inTrouble = false;
    const { lines, bytes } = this.#lost;
    this.#lost = { lines: 0, bytes: 0 };
    logEvent("written_again", { lostlines: lines, lostbytes: bytes });
  }

  /** Writes what has come, and closes the file. */
  async close(): Promise<void> {
    clearTimeout(this.#again);
    if (this.#begun.length > 0) this.#endLine();
    await this.#write();
    clearTimeout(this.#again);
    await this.#folder.close();
  }
}
