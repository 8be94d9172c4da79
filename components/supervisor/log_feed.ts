/**
 * The way of the log from the supervisor to the process that keeps it in files: the octets that go to standard error,
 * once more. Nobody waits for it: what that process does not take is held up to a limit, then dropped, and counted.
 * @module
 */
import { logEvent } from "../lib/log/log.ts";
import { concat } from "../lib/wire/frame.ts";

/** What may wait for it, while it is restarted as well. */
export const mostPendingBytes = 4 * 1024 * 1024;
/** After a write comes a rest: what happens meanwhile shares the next, and wakes the other process once. */
const usualRestMs = 50;
const lineEnd = 10;

export class LogFeed {
  readonly #restMs: number;
  #active = false;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #dropped = { lines: 0, bytes: 0 };
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #writing: Promise<void> | undefined;
  #rest: ReturnType<typeof setTimeout> | undefined;

  constructor({ restMs = usualRestMs }: { readonly restMs?: number } = {}) {
    this.#restMs = restMs;
  }

  /** Whether anybody is to have the log at all. */
  set active(active: boolean) {
    this.#active = active;
    if (!active) [this.#pending, this.#pendingBytes] = [[], 0];
  }

  /** Takes lines, whole ones, which do not change any more. */
  take(lines: Uint8Array): void {
    if (!this.#active || lines.length === 0) return;
    if (this.#pendingBytes + lines.length > mostPendingBytes) {
      this.#dropped.bytes += lines.length;
      this.#dropped.lines += lines.reduce((count, octet) => octet === lineEnd ? count + 1 : count, 0);
      return;
    }
    this.#pending.push(lines);
    this.#pendingBytes += lines.length;
    if (this.#writing === undefined && this.#rest === undefined && this.#writer !== undefined) this.#write();
  }

  /** From now on lines go there, those that wait first. */
  attach(input: WritableStream<Uint8Array>): void {
    this.#writer = input.getWriter();
    // Its death is seen where it was started.
    this.#writer.closed.catch(() => {});
    this.#write();
  }

  /** Writes what waits, and ends the input; what comes from now on waits for the next {@link attach}. */
  async end(): Promise<void> {
    const writer = this.#writer;
    if (writer === undefined) return;
    await this.#writing;
    if (this.#writer !== writer) return;
    if (this.#pendingBytes > 0) this.#write();
    await this.#writing;
    this.detach();
    await writer.close().catch(() => {});
  }

  /** The input is gone; what was being written to it is lost. */
  detach(): void {
    this.#writer = undefined;
    clearTimeout(this.#rest);
    this.#rest = undefined;
  }

  #write(): void {
    if (this.#pendingBytes === 0 || this.#writing !== undefined) return;
    const writer = this.#writer!;
    const octets = this.#pending.length === 1 ? this.#pending[0]! : concat(this.#pending, this.#pendingBytes);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#writing = writer.write(octets).then(() => this.#tellDropped(), () => {}).then(() => {
      this.#writing = undefined;
      if (this.#writer === undefined) return;
      clearTimeout(this.#rest);
      this.#rest = setTimeout(() => {
        this.#rest = undefined;
        if (this.#writer !== undefined) this.#write();
      }, this.#restMs);
    });
  }

  /** There is room again. */
  #tellDropped(): void {
    const { lines, bytes } = this.#dropped;
    if (bytes === 0) return;
    this.#dropped = { lines: 0, bytes: 0 };
    logEvent("log_dropped", { lines, bytes });
  }
}
