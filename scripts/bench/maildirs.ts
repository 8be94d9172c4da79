/**
 * Watches Maildirs fill. Nothing is deleted: what lay there before a run is not counted in it.
 * @module
 */
import { pause } from "./clock.ts";
import { findNumber, headBytes } from "./payload.ts";
import { addMark, type Mark } from "./timeline.ts";

/** What one run put into the Maildirs. */
export interface Filled {
  /** Messages of this run, at most as many of each as it has recipients. */
  readonly deliveries: number;
  readonly duplicates: number;
  /** Messages without a number, and numbered ones of an earlier run. */
  readonly unnumbered: number;
  readonly late: number;
  /** When the newest came: the time of the last change of a `new` folder, milliseconds since 1970. */
  readonly lastAtMs: number;
  /** How the number of files rose, as far as it was looked at. */
  readonly marks: readonly Mark[];
}

/** Between two looks; each costs a few milliseconds of processor time for a hundred Maildirs. */
const pauseMs = 50;
/** And so many times as long as a look takes: ten thousand Maildirs would keep a core busy. */
const pausePerLook = 9;

/** A set of Maildirs of which every file is looked at in the run that brought it. */
export class Maildirs {
  readonly #folders: readonly string[];
  readonly #seen = new Set<string>();

  /** Opens Maildirs; what is in them counts as old. Throws where one has no `new` folder. */
  constructor(maildirs: readonly string[]) {
    this.#folders = maildirs.map((dir) => `${dir}/new`);
    for (const path of this.#unseen()) this.#seen.add(path);
  }

  /** Waits until `deliveries` files have come, or for `limitMs`, and looks at them. */
  async reached(
    deliveries: number,
    options: { readonly limitMs: number; readonly firstNumber: number; readonly recipientsPerMessage: number },
  ): Promise<Filled> {
    const end = performance.now() + options.limitMs;
    const marks: Mark[] = [];
    for (;;) {
      const begin = performance.now();
      const count = this.#unseen().length;
      addMark(marks, Date.now(), count);
      if (count >= deliveries || performance.now() >= end) break;
      await pause(Math.max(pauseMs, pausePerLook * (performance.now() - begin)));
    }
    const lastAtMs = Math.max(...this.#folders.map((dir) => Deno.statSync(dir).mtime?.getTime() ?? 0));
    return { ...this.#look(options), lastAtMs, marks };
  }

  #unseen(): readonly string[] {
    const paths = this.#folders.flatMap((dir) => Array.from(Deno.readDirSync(dir), (entry) => `${dir}/${entry.name}`));
    return paths.filter((path) => !this.#seen.has(path));
  }

  #look(
    options: { readonly firstNumber: number; readonly recipientsPerMessage: number },
  ): Omit<Filled, "lastAtMs" | "marks"> {
    const copies = new Map<number, number>();
    let unnumbered = 0;
    let late = 0;
    for (const path of this.#unseen()) {
      this.#seen.add(path);
      const running = findNumber(readHead(path));
      if (running === undefined) unnumbered++;
      else if (running < options.firstNumber) late++;
      else copies.set(running, (copies.get(running) ?? 0) + 1);
    }
    const counts = [...copies.values()];
    const deliveries = counts.reduce((sum, count) => sum + Math.min(count, options.recipientsPerMessage), 0);
    return { deliveries, duplicates: counts.reduce((sum, count) => sum + count, -deliveries), unnumbered, late };
  }
}

function readHead(path: string): string {
  using file = Deno.openSync(path);
  const buffer = new Uint8Array(headBytes);
  const length = file.readSync(buffer) ?? 0;
  return new TextDecoder("latin1").decode(buffer.subarray(0, length));
}
