/**
 * Frames over a pair of byte streams (a Unix socket, or a child's stdin and stdout). Writes of one turn leave in one
 * system call; whoever sends much awaits {@link Pipe.drained}, which is what keeps the memory of a fast writer bounded.
 * @module
 */
import { concat, encodeFrame, type Frame, FrameReader } from "./frame.ts";

/** What a connection, or a child process, offers. */
export interface Streams {
  read(buffer: Uint8Array): Promise<number | null>;
  write(octets: Uint8Array): Promise<number>;
  close(): void;
}

/** Largest frame any protocol here needs: a message of the fast lane with its envelope. */
export const maxFrameBytes = 16 * 1024 * 1024;
const readBytes = 64 * 1024;
const highWaterBytes = 1024 * 1024;

export class Pipe {
  readonly #streams: Streams;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(streams: Streams) {
    this.#streams = streams;
  }

  /** Queues one frame; it leaves soon after this turn. After {@link close} it goes nowhere. */
  send(head: object, body?: Uint8Array): void {
    if (this.#closed) return;
    const frame = encodeFrame(head, body);
    this.#pending.push(frame);
    this.#pendingBytes += frame.length;
    this.#writing ??= this.#flush();
  }

  /** Settles once less than a mebibyte waits to be written, or the connection is gone. */
  async drained(): Promise<void> {
    while (this.#pendingBytes > highWaterBytes && this.#writing !== undefined) await this.#writing;
  }

  /** Settles once all that was sent has left, or the connection is gone. */
  async flushed(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #flush(): Promise<void> {
    // One microtask later, what the same turn still sends goes along in one write.
    await Promise.resolve();
    try {
      while (this.#pending.length > 0 && !this.#closed) {
        const batch = this.#pending.length === 1 ? this.#pending[0]! : concat(this.#pending, this.#pendingBytes);
        this.#pending = [];
        for (let at = 0; at < batch.length;) at += await this.#streams.write(batch.subarray(at));
        this.#pendingBytes -= batch.length;
      }
    } catch {
      // The peer is gone: the reading side sees it too and tells the owner.
      this.close();
    } finally {
      this.#writing = undefined;
    }
  }

  /**
   * The frames as they come, until the peer closes. Throws FrameError on garbage; ends, too, when the connection breaks.
   * Bodies stay valid after the next frame.
   */
  async *frames(): AsyncGenerator<Frame, void, undefined> {
    const reader = new FrameReader(maxFrameBytes);
    // One buffer for all reads, and a copy of what came: most frames are small, a fresh 64 KiB for each would cost more.
    const buffer = new Uint8Array(readBytes);
    try {
      while (!this.#closed) {
        const count = await this.#streams.read(buffer).catch(() => null);
        if (count === null) return;
        yield* reader.push(buffer.slice(0, count));
      }
    } finally {
      this.close();
    }
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      this.#streams.close();
    } catch {
      // Already closed by the other end.
    }
  }
}
