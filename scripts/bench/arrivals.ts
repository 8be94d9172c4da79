/**
 * When numbered messages arrive in one Maildir, as the kernel tells of it.
 * @module
 */
import { nowMs, pause } from "./clock.ts";
import { findNumber, headBytes } from "./payload.ts";

const pollMs = 10;

/** Watches the `new` folder of one Maildir until it is disposed of. */
export class Arrivals implements Disposable {
  readonly #watcher: Deno.FsWatcher;
  readonly #atMs = new Map<number, number>();

  constructor(maildir: string) {
    this.#watcher = Deno.watchFs(`${maildir}/new`, { recursive: false });
    void this.#watch();
  }

  /** Milliseconds since 1970 by running number. */
  get atMs(): ReadonlyMap<number, number> {
    return this.#atMs;
  }

  /** Waits until all of `numbers` are there, or for `limitMs`; answers whether they are. */
  async reached(numbers: readonly number[], limitMs: number): Promise<boolean> {
    const end = performance.now() + limitMs;
    while (!numbers.every((number) => this.#atMs.has(number))) {
      if (performance.now() >= end) return false;
      await pause(pollMs);
    }
    return true;
  }

  async #watch(): Promise<void> {
    const seen = new Set<string>();
    for await (const { kind, paths } of this.#watcher) {
      const now = nowMs();
      if (kind === "access" || kind === "remove") continue; // our own reading is told of, too
      for (const path of paths) {
        if (seen.has(path)) continue;
        const running = numberIn(path);
        if (running === undefined) continue;
        seen.add(path);
        if (!this.#atMs.has(running)) this.#atMs.set(running, now);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
  }
}

/** Undefined for what is not there any more, is a folder, or has no number. */
function numberIn(path: string): number | undefined {
  try {
    using file = Deno.openSync(path);
    const buffer = new Uint8Array(headBytes);
    return findNumber(new TextDecoder("latin1").decode(buffer.subarray(0, file.readSync(buffer) ?? 0)));
  } catch {
    return undefined;
  }
}
