/**
 * Frames over a pair of byte streams (a Unix socket, or a child's stdin and stdout). Writes of one turn leave in one
 * system call; whoever sends much awaits {@link Pipe.drained}, which is what keeps the memory of a fast writer bounded.
 * @module
 */
import { encodeFrame, type Frame, FrameReader } from "./frame.ts";

/** What a connection, or a child process, offers. */
export interface Streams {
  read(buffer: Uint8Array): Promise<number | null>;
  write(octets: Uint8Array): Promise<number>;
  close(): void;
}

/** Largest frame any protocol here needs: a message of the fast lane with its envelope. */
export const maxFrameBytes = 16 * 1024 * 1024;
const readBytes = 64 * 1024;
/** What a pipe holds. */
const batchBytes = 64 * 1024;
const highWaterBytes = 1024 * 1024;

export class Pipe {
  readonly #streams: Streams;
  #pending: Uint8Array[] = [];
  #batch: Uint8Array | undefined;
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
        const batch = this.#takeBatch();
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

  /** The next octets to write: one frame, or as many as fit into the memory that all batches share. */
  #takeBatch(): Uint8Array {
    let [count, bytes] = [0, 0];
    for (const { length } of this.#pending) {
      if (count > 0 && bytes + length > batchBytes) break;
      count++;
      bytes += length;
    }
    const frames = count === this.#pending.length ? this.#pending : this.#pending.slice(0, count);
    this.#pending = count === this.#pending.length ? [] : this.#pending.slice(count);
    if (count === 1) return frames[0]!;
    // Fresh memory for each costs more than the copy: its pages are not there yet.
    this.#batch ??= new Uint8Array(batchBytes);
    let at = 0;
    for (const frame of frames) {
      this.#batch.set(frame, at);
      at += frame.length;
    }
    return this.#batch.subarray(0, bytes);
  }

  /**
   * Calls `take` for each frame, until the peer closes; where it answers a promise, the next frame waits for that. Those of
   * one read are taken in one turn, so that what they have sent leaves in one write. Throws FrameError on garbage, and
   * what `take` throws; ends, too, when the connection breaks. Bodies stay valid after the next frame.
   */
  async each(take: (frame: Frame) => void | Promise<void>): Promise<void> {
    const reader = new FrameReader(maxFrameBytes);
    // One buffer for all reads, and a copy of what came: most frames are small, a fresh 64 KiB for each would cost more.
    const buffer = new Uint8Array(readBytes);
    try {
      while (!this.#closed) {
        const count = await this.#streams.read(buffer).catch(() => null);
        if (count === null) return;
        for (const frame of reader.push(buffer.slice(0, count))) {
          const taken = take(frame);
          if (taken !== undefined) await taken;
        }
      }
    } finally {
      this.close();
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
