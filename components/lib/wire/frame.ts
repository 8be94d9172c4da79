/**
 * Frames between processes: `u32be length of all that follows | u32be length of the head | head | body`. The head is a
 * JSON object (octet strings in it, see lib/address, survive as they are), the body raw octets. A frame over the
 * reader's limit, a head that is no JSON object or lengths that do not fit end the connection: nothing after it can be
 * trusted.
 * @module
 */

/** The head as it came: an object nobody has looked into yet. */
export type RawHead = Readonly<Record<string, unknown>>;

export interface Frame {
  readonly head: RawHead;
  readonly body: Uint8Array;
}

const prefixBytes = 8;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const empty = new Uint8Array(0);

/** One whole frame; `body` is copied, so that the caller may use its memory again. */
export function encodeFrame(head: object, body: Uint8Array = empty): Uint8Array {
  const text = encoder.encode(JSON.stringify(head));
  const frame = new Uint8Array(prefixBytes + text.length + body.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, 4 + text.length + body.length);
  view.setUint32(4, text.length);
  frame.set(text, prefixBytes);
  frame.set(body, prefixBytes + text.length);
  return frame;
}

/** A peer sent what is not a frame. */
export class FrameError extends Error {
  override name = "FrameError";
}

/** Cuts a stream of chunks into frames. Holds at most one frame of `maxBytes` and one chunk. */
export class FrameReader {
  readonly #maxBytes: number;
  #chunks: Uint8Array[] = [];
  #held = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Adds octets and answers the frames they complete. Throws {@link FrameError}. The chunk must not change afterwards. */
  push(chunk: Uint8Array): Frame[] {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    const frames: Frame[] = [];
    for (;;) {
      const total = this.#peekLength();
      if (total === undefined || this.#held < 4 + total) return frames;
      frames.push(parseFrame(this.#take(4 + total)));
    }
  }

  /** Whether a frame has begun that is not whole yet. */
  get partial(): boolean {
    return this.#held > 0;
  }

  #peekLength(): number | undefined {
    if (this.#held < 4) return undefined;
    if (this.#chunks[0]!.length < 4) this.#chunks = [concat(this.#chunks, this.#held)];
    const first = this.#chunks[0]!;
    const total = new DataView(first.buffer, first.byteOffset).getUint32(0);
    if (total < 4 || total > this.#maxBytes) {
      throw new FrameError(`a frame of ${total} bytes, the limit is ${this.#maxBytes}`);
    }
    return total;
  }

  #take(bytes: number): Uint8Array {
    const all = this.#chunks.length === 1 ? this.#chunks[0]! : concat(this.#chunks, this.#held);
    const rest = all.subarray(bytes);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#held = rest.length;
    return all.subarray(0, bytes);
  }
}

function parseFrame(octets: Uint8Array): Frame {
  const view = new DataView(octets.buffer, octets.byteOffset);
  const headBytes = view.getUint32(4);
  if (headBytes > octets.length - prefixBytes) throw new FrameError("a head longer than its frame");
  let head: unknown;
  try {
    head = JSON.parse(decoder.decode(octets.subarray(prefixBytes, prefixBytes + headBytes)));
  } catch {
    throw new FrameError("a head that is not JSON");
  }
  if (typeof head !== "object" || head === null || Array.isArray(head)) {
    throw new FrameError("a head that is no object");
  }
  return { head: head as RawHead, body: octets.subarray(prefixBytes + headBytes) };
}

/** One array out of several, `total` octets in all. */
export function concat(chunks: readonly Uint8Array[], total: number): Uint8Array {
  const all = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
