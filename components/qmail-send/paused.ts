/**
 * Destinations that an operator paused, as they stand on the disk: `queue/paused/destinations`, a name a line, written
 * before they are paused, so that a restart keeps them. A folder that qmail does not know, and passes over.
 * @module
 */
import { join } from "@std/path";
import type { Home } from "../../config/home.ts";
import type { Disk } from "../lib/disk/disk.ts";
import { replaceFile } from "../lib/disk/replace_file.ts";
import { describeError, log } from "../lib/log/log.ts";
import { fromOctets, toOctets } from "../lib/octets.ts";
import { pausedFile } from "../lib/queue/layout.ts";
import { destinationOf, mostPaused, type PauseResult } from "../lib/wire/control_protocol.ts";

/** Who starts no delivery to them. */
export interface Pausing {
  pause(destination: string): void;
  resume(destination: string): void;
  readonly paused: ReadonlySet<string>;
}

/** The names in a file; lines that name nothing are left out. */
export function parsePaused(octets: Uint8Array): readonly string[] {
  return fromOctets(octets).split("\n").map(destinationOf).filter((name) => name !== undefined);
}

export function formatPaused(names: Iterable<string>): Uint8Array {
  return toOctets(Array.from(names, (name) => `${name}\n`).join(""));
}

export class Paused {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #pausing: Pausing;
  /** One after the other: each writes all there are. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(disk: Disk, home: Home, pausing: Pausing) {
    this.#disk = disk;
    this.#folder = home.queue("paused");
    this.#pausing = pausing;
  }

  /** Pauses those of the file. A file that cannot be read pauses nobody: mail for all the others has to go on. */
  restore(): void {
    const path = join(this.#folder, pausedFile);
    try {
      if (!this.#disk.exists(path)) return;
      for (const name of parsePaused(this.#disk.readFile(path))) this.#pausing.pause(name);
    } catch (error) {
      log(`alert: cannot read which destinations are paused: ${describeError(error)}; none is`);
    }
  }

  /** Throws what the disk says; then nothing has changed. */
  set(op: "pause" | "resume", destination: string): Promise<PauseResult> {
    const turn = this.#turn.then(() => this.#set(op, destination));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #set(op: "pause" | "resume", destination: string): Promise<PauseResult> {
    const names = new Set(this.#pausing.paused);
    const changed = op === "pause" ? !names.has(destination) : names.delete(destination);
    if (op === "pause") names.add(destination);
    if (changed) {
      if (names.size > mostPaused) throw new Error(`${mostPaused} destinations are paused, more cannot be`);
      await replaceFile(this.#disk, join(this.#folder, pausedFile), formatPaused(names), 0o600);
      await this.#disk.syncDir(this.#folder);
      this.#pausing[op](destination);
    }
    return { destination, changed, paused: [...names].toSorted() };
  }
}
