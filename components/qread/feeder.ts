/**
 * Looks at the queue for the index, again and again as long as somebody asks: a little at a time and with pauses, so that
 * qmail-send has the disk and the processor whenever it wants them.
 *
 * Messages go from todo and the journal to info, never back; looked at in that order, none that is there all the time is
 * missed. One of whose files only the times are the same is not read again.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { liveRecords } from "../lib/queue/journal/scan.ts";
import { parseQueueId } from "../lib/queue/layout.ts";
import { flag } from "./columns.ts";
import { channelSeconds, observe, observeRecord } from "./observe.ts";
import type { QueueIndex } from "./queue_index.ts";

export interface FeederOptions {
  /** Settles after a pause of `ms`. */
  readonly breathe: (ms: number) => Promise<void>;
  readonly nowMs: () => number;
  /** Told what the system said where nobody waits for it. */
  readonly onTrouble: (error: unknown) => void;
  /** A look has ended. */
  readonly onLooked?: () => void;
}

/** So long is worked at a time, and so long paused: at the first look, when somebody waits, and later. */
const sliceMs = 4;
const firstPauseMs = 2;
const pauseMs = 8;
/** Between two looks; more after one that took long. */
const leastRestMs = 1000;
const restForWork = 10;

export class Feeder {
  readonly index: QueueIndex;
  readonly #home: Home;
  readonly #options: FeederOptions;
  #running: Promise<void> | undefined;
  #stopped = false;
  /** Of the last look; 0 before the first has ended. */
  #endedMs = 0;
  #workedMs = 0;
  /** When the piece of work that is under way began. */
  #sliceMs = 0;
  #counted = 0;

  constructor(home: Home, index: QueueIndex, options: FeederOptions) {
    this.#home = home;
    this.index = index;
    this.#options = options;
  }

  /** Whether all of the queue has been looked at. */
  get whole(): boolean {
    return this.#endedMs > 0;
  }

  /** Messages in the queue, as far as is known. */
  get total(): number {
    return this.whole ? this.index.size : Math.max(this.#counted, this.index.size);
  }

  /** Has a look begin, unless one runs or the last one is not long ago. Answers the one that runs. */
  look(): Promise<void> | undefined {
    const restMs = Math.max(leastRestMs, this.#workedMs * restForWork);
    const isDue = !this.whole || this.#options.nowMs() >= this.#endedMs + restMs;
    if (this.#running === undefined && isDue && !this.#stopped) {
      this.#running = this.#lookNow().catch((error) => this.#options.onTrouble(error)).finally(() => {
        this.#running = undefined;
      });
    }
    return this.#running;
  }

  /** Ends the look that runs. */
  stop(): void {
    this.#stopped = true;
  }

  async #lookNow(): Promise<void> {
    this.#workedMs = 0;
    this.#sliceMs = this.#options.nowMs();
    this.index.beginLook();
    if (!this.whole) await this.#count();
    for (const step of [() => this.#todo(), () => this.#journal(), () => this.#info()]) {
      if (!await this.#work(step())) return;
    }
    if (!await this.#work(this.index.removeUnseen())) return;
    if (!await this.#work(this.index.compact())) return;
    this.#workedMs += this.#options.nowMs() - this.#sliceMs;
    this.#endedMs = this.#options.nowMs();
    this.#options.onLooked?.();
  }

  /** Takes step after step, with pauses; false: it was stopped. */
  async #work(steps: Generator<void, void, undefined>): Promise<boolean> {
    for (const _ of steps) {
      if (this.#options.nowMs() - this.#sliceMs >= sliceMs) await this.#pause();
      if (this.#stopped) return false;
    }
    return !this.#stopped;
  }

  async #pause(): Promise<void> {
    this.#workedMs += this.#options.nowMs() - this.#sliceMs;
    await this.#options.breathe(this.whole ? pauseMs : firstPauseMs);
    this.#sliceMs = this.#options.nowMs();
  }

  /** How many there will be. */
  async #count(): Promise<void> {
    this.#counted = namesIn(this.#home.queue("todo")).length;
    for (let part = 0; part < this.#home.queueSplit && !this.#stopped; part++) {
      this.#counted += namesIn(this.#home.queue("info", String(part))).length;
      await this.#pause();
    }
  }

  *#todo(): Generator<void, void, undefined> {
    for (const id of idsIn(this.#home.queue("todo"))) {
      this.#see(id, (flags) => flags === flag.fresh || flags === (flag.fresh | flag.cut));
      yield;
    }
  }

  *#journal(): Generator<void, void, undefined> {
    for (const record of liveRecords(this.#home)) {
      const known = this.index.find(record.id);
      const isSame = known !== undefined && (known.block.flags[known.at]! & flag.journal) !== 0 &&
        known.block.born[known.at] === record.birthSeconds;
      const observed = isSame ? undefined : observeRecord(record);
      if (known !== undefined && isSame) this.index.touch(known);
      else if (observed !== undefined) this.index.put(observed);
      yield;
    }
  }

  *#info(): Generator<void, void, undefined> {
    for (let part = 0; part < this.#home.queueSplit; part++) {
      for (const id of idsIn(this.#home.queue("info", String(part)))) {
        this.#see(id, (flags, local, remote) => {
          if ((flags & flag.fresh) !== 0) return false;
          const seconds = channelSeconds(this.#home, id);
          return seconds.local === local && seconds.remote === remote;
        });
        yield;
      }
      yield;
    }
  }

  /** Reads a message unless what is known of it still holds. */
  #see(id: number, holds: (flags: number, localSeconds: number, remoteSeconds: number) => boolean): void {
    const known = this.index.find(id);
    if (known !== undefined) {
      const { block, at } = known;
      if (holds(block.flags[at]!, block.localSeconds[at]!, block.remoteSeconds[at]!)) return this.index.touch(known);
    }
    try {
      const observed = observe(this.#home, id);
      if (observed !== undefined) this.index.put(observed);
    } catch (error) {
      this.#options.onTrouble(error);
    }
  }
}

function namesIn(dir: string): readonly string[] {
  return Array.from(Deno.readDirSync(dir), ({ name }) => name);
}

function idsIn(dir: string): readonly number[] {
  return namesIn(dir).map(parseQueueId).filter((id) => id !== undefined);
}
