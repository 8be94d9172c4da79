/**
 * Counts what a component that runs in this process does to the world around it: at Deno's and node's own functions, so that
 * no shape of its code can pass the count by. Until its scope ends: `using meter = new Meter({...});`, to be made before the
 * component is started and after the fakes it speaks with, which are not counted.
 * @module
 */
import { type Counts, Tally } from "./budget.ts";
import { type CapturedLog, captureLog } from "./captured_log.ts";
import { meterFiles } from "./metered_files.ts";
import { type MeteredSockets, meterSockets } from "./metered_sockets.ts";
import { meterTimers } from "./metered_timers.ts";

export interface MeterOptions extends MeteredSockets {
  /** Whether files are counted; the disk is not waited for then (see {@link meterFiles}). */
  readonly files?: boolean;
}

export class Meter implements Disposable {
  readonly tally = new Tally();
  readonly log: CapturedLog = captureLog();
  readonly #stack = new DisposableStack();

  constructor({ files = false, ...sockets }: MeterOptions = {}) {
    this.#stack.use(this.log);
    this.#stack.use(meterTimers(this.tally));
    this.#stack.use(meterSockets(this.tally, sockets));
    if (files) this.#stack.use(meterFiles(this.tally));
  }

  /** What `work` costs, and what goes on for a moment after it. */
  async during(work: () => Promise<unknown>): Promise<Counts> {
    const lines = this.log.lines().length;
    const before = this.tally.now();
    await work();
    await quiet();
    const logged = this.log.lines().length - lines;
    return { ...this.tally.since(before), ...(logged === 0 ? {} : { "log lines": logged }) };
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

const turns = 10;

/** Lets go on what needs no time. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => setImmediate(() => resolve()));
}
