/**
 * Has the queue surveyed: at the start for all that a predecessor left, later for what a dead qmail-queue left in mess.
 * @module
 */
import { describeError, log } from "../lib/log/log.ts";
import type { Manager } from "./manager.ts";
import type { Store } from "./store.ts";
import type { Suspects } from "./suspects.ts";
import { type Findings, survey, type SurveyOptions } from "./survey.ts";
import { troubleSeconds } from "./timing.ts";

export interface SurveyorOptions extends SurveyOptions {
  /** Lets everything else go on. */
  breathe(): Promise<void>;
  /** Asks qmail-queue which of the suspects it is writing. */
  ask(): void;
}

export class Surveyor {
  readonly #store: Store;
  readonly #manager: Manager;
  readonly #suspects: Suspects;
  readonly #options: SurveyorOptions;
  #running: Promise<void> | undefined;
  #again = false;
  #first = true;
  #stopped = false;

  constructor(store: Store, manager: Manager, suspects: Suspects, options: SurveyorOptions) {
    this.#store = store;
    this.#manager = manager;
    this.#suspects = suspects;
    this.#options = options;
  }

  /** Looks through todo, for notices may have been lost with a connection, and then through the rest. */
  start(): Promise<void> {
    if (this.#running !== undefined) this.#again = true;
    return this.#running ??= this.#runAll().finally(() => this.#running = undefined);
  }

  stop(): void {
    this.#stopped = true;
  }

  async #runAll(): Promise<void> {
    do {
      this.#again = false;
      await this.#run();
    } while (this.#again && !this.#stopped);
  }

  async #run(): Promise<void> {
    // Before the first listing: what is listed in todo and goes to wait meanwhile is not to be told of as well.
    this.#manager.surveying(true);
    await this.scanTodo();
    const first = this.#first;
    for await (const _ of survey(this.#folders(), this.#findings(first), this.#options)) {
      do await this.#options.breathe(); while (this.#manager.busy && !this.#stopped);
      if (this.#stopped) return;
    }
    this.#manager.surveying(false);
    this.#first = false;
    if (this.#suspects.all().length > 0) this.#options.ask();
  }

  async scanTodo(): Promise<void> {
    const ids = await this.#patiently(() => this.#store.listTodo());
    this.#manager.arrivals.todo(ids.filter((id) => !this.#manager.knows(id)), true);
  }

  #folders() {
    return {
      list: (dir: Parameters<Store["list"]>[0], part: number) => this.#patiently(() => this.#store.list(dir, part)),
      mtime: (dir: Parameters<Store["list"]>[0], id: number) => this.#store.mtime(dir, id),
      inTodo: (id: number) => this.#store.inTodo(id),
    };
  }

  /** What waits for its next attempt is told of once: the first time. */
  #findings(first: boolean): Findings {
    return {
      known: (id) => this.#manager.knows(id),
      found: (id, channel, atSeconds) => first && this.#manager.found(id, channel, atSeconds),
      finished: (id) => first && this.#manager.finished(id),
      orphans: (ids) => this.#suspects.add(ids),
      strays: (dir, ids) => log(`warning: ${dir}/${ids[0]} and ${ids.length - 1} more are of no message`),
    };
  }

  async #patiently(list: () => Promise<number[]>): Promise<number[]> {
    for (;;) {
      try {
        return await list();
      } catch (error) {
        log(`alert: unable to read the queue: ${describeError(error)}; will try again later`);
        await new Promise((resolve) => setTimeout(resolve, troubleSeconds * 1000));
      }
    }
  }
}
