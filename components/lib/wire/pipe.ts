/**
 * Frames over a pair of byte streams (a Unix socket, or a child's stdin and stdout). Writes of one turn leave in one
 * system call; whoever sends much awaits {@link Pipe.drained}, which is what keeps the memory of a fast writer bounded.
 * @module
 */
import { Batch } from "./batch.ts";
import { type Body, bodyLength, type Frame, FrameReader, type FrameReaderOptions, frameStart } from "./frame.ts";

/** What a connection, or a child process, offers. */
export interface Streams {
  read(buffer: Uint8Array): Promise<number | null>;
  write(octets: Uint8Array): Promise<number>;
  close(): void;
}

/** Largest frame any protocol here needs: a message of the fast lane with its envelope. */
export const maxFrameBytes = 16 * 1024 * 1024;
const readBytes = 128 * 1024;
const highWaterBytes = 1024 * 1024;
const nothing = new Uint8Array(0);

export class Pipe {
  readonly #streams: Streams;
  /** What leaves next. */
  #batch = new Batch();
  /** The memory of what is leaving, or left before. */
  #other = new Batch();
  /** What had no room in the batch, and all that was sent after it. */
  #waiting: Uint8Array[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(streams: Streams) {
    this.#streams = streams;
  }

  /**
   * Queues one frame; it leaves soon after this turn. After {@link close} it goes nowhere. A body that comes in pieces is
   * not copied while much waits: its memory must not change any more.
   */
  send(head: object, body: Body = nothing): void {
    if (this.#closed) return;
    const text = JSON.stringify(head);
    const bytes = this.#waiting.length === 0 ? this.#batch.addFrame(text, body) : undefined;
    this.#pendingBytes += bytes ?? this.#wait(text, body);
    this.#writing ??= this.#flush();
  }

  #wait(text: string, body: Body): number {
    const bytes = bodyLength(body);
    const start = frameStart(text, bytes);
    this.#waiting.push(start, ...body instanceof Uint8Array ? [body.slice()] : body);
    return start.length + bytes;
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
      for (let octets = this.#next(); octets.length > 0 && !this.#closed; octets = this.#next()) {
        for (let at = 0; at < octets.length;) at += await this.#streams.write(octets.subarray(at));
        this.#pendingBytes -= octets.length;
      }
    } catch {
      // The peer is gone: the reading side sees it too and tells the owner.
      this.close();
    } finally {
      this.#writing = undefined;
    }
  }

  /** The next octets to write; none: nothing waits. */
  #next(): Uint8Array {
    if (this.#batch.isEmpty && this.#waiting.length > 0) {
      const count = this.#waiting.findIndex((octets) => !this.#batch.add(octets));
      // One that is larger than a batch goes by itself.
      if (count === 0) return this.#waiting.shift()!;
      this.#waiting = count < 0 ? [] : this.#waiting.slice(count);
    }
    const leaving = this.#batch;
    this.#batch = this.#other;
    this.#batch.clear();
    this.#other = leaving;
    return leaving.octets;
  }

  /**
   * Calls `take` for each frame, until the peer closes; where it answers a promise, the next frame waits for that. Those of
   * one read are taken in one turn, so that what they have sent leaves in one write. Throws FrameError on garbage, and
   * what `take` throws; ends, too, when the connection breaks. Bodies stay valid, unless they are only lent to `take`.
   */
  async each(take: (frame: Frame) => void | Promise<void>, options: FrameReaderOptions = {}): Promise<void> {
    const reader = new FrameReader(maxFrameBytes, options);
    const buffer = new Uint8Array(readBytes);
    try {
      while (!this.#closed) {
        const count = await this.#streams.read(buffer).catch(() => null);
        if (count === null) return;
        for (const frame of reader.push(buffer.subarray(0, count))) {
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
    const buffer = new Uint8Array(readBytes);
    try {
      while (!this.#closed) {
        const count = await this.#streams.read(buffer).catch(() => null);
        if (count === null) return;
        yield* reader.push(buffer.subarray(0, count));
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
    this.#waiting = [];
    this.#pendingBytes = 0;
    try {
      this.#streams.close();
    } catch {
      // Already closed by the other end.
    }
  }
}
