/**
 * The counts of the days that are not reported yet, in memory and in a file for each: lines of JSON, `[note, count]` for
 * what came and `["done", domain]` for a report that left, only added to, and written anew when they are much longer than
 * what they say. What came since the last {@link Ledger.flush} dies with the process.
 * @module
 */
import type { Disk } from "../disk/disk.ts";
import { replaceFile } from "../disk/replace_file.ts";
import type { RawHead } from "../wire/frame.ts";
import { dayOf } from "./days.ts";

/** The counts of one day, by the domain that gets a report of them. Bounded. */
export interface Counts<N> {
  readonly domains: readonly string[];
  /** Counts a note so many times (1); false: there was no room. */
  add(note: N, count?: number): boolean;
  /** The domain's report is on its way, or nobody wants one. */
  delete(domain: string): void;
  /** All of it as notes that {@link add} makes the same of. */
  notes(): Iterable<readonly [N, number]>;
}

/** What is counted. */
export interface NoteKind<N, C extends Counts<N>> {
  readonly empty: () => C;
  /** A note with what does not count left out: notes that count as the same become the same. */
  readonly canonical: (note: N) => N;
  /** An object that came in a frame or from a file. May throw. */
  readonly parse: (head: RawHead) => N;
}

export interface LedgerOptions<N, C extends Counts<N>> {
  readonly kind: NoteKind<N, C>;
  readonly disk: Disk;
  readonly dir: string;
  /** Told once of trouble with the files, until they can be written again. */
  readonly onTrouble: (error: unknown) => void;
  /** Told of lines in a file that say nothing. */
  readonly onDamage: (day: string, lines: number) => void;
}

/** A file that is shorter is never worth writing anew. */
const smallBytes = 1024 * 1024;
/** How much longer than when it was last written anew. */
const growth = 4;

const encoder = new TextEncoder();

interface Day<C> {
  readonly counts: C;
  /** What is not in the file yet, by its line's note. */
  readonly pending: Map<string, number>;
  readonly done: string[];
  fileBytes: number;
  /** When it was last written anew. */
  wholeBytes: number;
  /** A write failed: what stands there is not known. */
  isDamaged: boolean;
  /** Notes there was no room for. */
  lost: number;
}

export class Ledger<N, C extends Counts<N>> {
  readonly #options: LedgerOptions<N, C>;
  readonly #days = new Map<string, Day<C>>();
  #isTroubled = false;

  constructor(options: LedgerOptions<N, C>) {
    this.#options = options;
  }

  /** Days there is something of, oldest first. */
  get days(): readonly string[] {
    return [...this.#days.keys()].sort();
  }

  counts(day: string): C | undefined {
    return this.#days.get(day)?.counts;
  }

  lost(day: string): number {
    return this.#days.get(day)?.lost ?? 0;
  }

  /** Reads what an earlier process left. */
  load(): void {
    const { disk, dir } = this.#options;
    this.#try(() => {
      for (const name of disk.list(dir)) {
        if (/^\d{4}-\d\d-\d\d$/.test(name)) this.#loadDay(name);
        // A process died over it; the file it was to replace is whole.
        else if (name.endsWith(".new")) disk.remove(`${dir}/${name}`);
      }
    });
  }

  #loadDay(name: string): void {
    const octets = this.#options.disk.readFile(`${this.#options.dir}/${name}`);
    const day = this.#day(name);
    day.fileBytes = octets.length;
    let damaged = 0;
    for (const line of new TextDecoder().decode(octets).split("\n")) {
      if (line !== "" && !this.#readLine(line, day.counts)) damaged++;
    }
    if (damaged > 0) this.#options.onDamage(name, damaged);
  }

  note(note: N, nowSeconds: number): void {
    const day = this.#day(dayOf(nowSeconds));
    const canonical = this.#options.kind.canonical(note);
    if (!day.counts.add(canonical)) {
      day.lost++;
      return;
    }
    const line = JSON.stringify(canonical);
    day.pending.set(line, (day.pending.get(line) ?? 0) + 1);
  }

  /** A domain's report has left, or nobody wants one. */
  done(name: string, domain: string): void {
    const day = this.#days.get(name);
    day?.counts.delete(domain);
    day?.done.push(domain);
  }

  /** The whole day is done with. */
  drop(name: string): void {
    this.#days.delete(name);
    this.#try(() => this.#options.disk.remove(`${this.#options.dir}/${name}`));
  }

  /** Writes what came since the last time. Never rejects. */
  async flush(): Promise<void> {
    for (const [name, day] of this.#days) {
      if (day.pending.size === 0 && day.done.length === 0 && !day.isDamaged) continue;
      const isLong = day.fileBytes > smallBytes && day.fileBytes > growth * day.wholeBytes;
      try {
        await (day.isDamaged || isLong ? this.#writeAnew(name, day) : this.#append(name, day));
        this.#isTroubled = false;
      } catch (error) {
        day.isDamaged = true;
        this.#complain(error);
      }
    }
  }

  async #append(name: string, day: Day<C>): Promise<void> {
    const lines = [
      ...Array.from(day.pending, ([note, count]) => `[${note},${count}]`),
      ...day.done.map((domain) => JSON.stringify(["done", domain])),
    ];
    day.pending.clear();
    day.done.length = 0;
    // In front as well: the line before may have been cut off.
    const octets = encoder.encode(`\n${lines.join("\n")}\n`);
    const file = this.#options.disk.openAppend(`${this.#options.dir}/${name}`, 0o600);
    try {
      file.write(octets);
      day.fileBytes += octets.length;
      await file.sync();
    } finally {
      file.close();
    }
  }

  async #writeAnew(name: string, day: Day<C>): Promise<void> {
    const { disk, dir } = this.#options;
    const lines = Array.from(day.counts.notes(), ([note, count]) => `${JSON.stringify([note, count])}\n`);
    const octets = encoder.encode(lines.join(""));
    day.pending.clear();
    day.done.length = 0;
    await replaceFile(disk, `${dir}/${name}`, octets, 0o600);
    day.fileBytes = day.wholeBytes = octets.length;
    day.isDamaged = false;
    // What came while the disk worked is in memory and pending; it goes behind.
  }

  #day(name: string): Day<C> {
    let day = this.#days.get(name);
    if (day === undefined) {
      day = {
        counts: this.#options.kind.empty(),
        pending: new Map(),
        done: [],
        fileBytes: 0,
        wholeBytes: 0,
        isDamaged: false,
        lost: 0,
      };
      this.#days.set(name, day);
    }
    return day;
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    if (!this.#isTroubled) this.#options.onTrouble(error);
    this.#isTroubled = true;
  }

  /** Whether the line said something. */
  #readLine(line: string, counts: C): boolean {
    try {
      const value: unknown = JSON.parse(line);
      if (!Array.isArray(value) || value.length !== 2) return false;
      const [first, second] = value as unknown[];
      if (first === "done" && typeof second === "string") {
        counts.delete(second);
        return true;
      }
      if (typeof first !== "object" || first === null || !Number.isSafeInteger(second) || Number(second) < 1) {
        return false;
      }
      return counts.add(this.#options.kind.parse({ ...first }), Number(second));
    } catch {
      // Cut off, or not ours.
      return false;
    }
  }
}
