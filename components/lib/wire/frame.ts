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

const lengthBytes = 4;
const prefixBytes = 8;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const empty = new Uint8Array(0);

/** A frame's body, whole or in pieces. */
export type Body = Uint8Array | readonly Uint8Array[];

export function bodyLength(body: Body): number {
  return body instanceof Uint8Array ? body.length : body.reduce((sum, { length }) => sum + length, 0);
}

/** One whole frame; `body` is copied, so that the caller may use its memory again. */
export function encodeFrame(head: object, body: Uint8Array = empty): Uint8Array {
  const start = frameStart(JSON.stringify(head), body.length);
  return concat([start, body], start.length + body.length);
}

/** A frame with the head `text`, up to its body, which is to follow with this length. */
export function frameStart(text: string, bodyBytes: number): Uint8Array {
  const octets = encoder.encode(text);
  const start = new Uint8Array(prefixBytes + octets.length);
  const view = new DataView(start.buffer);
  view.setUint32(0, 4 + octets.length + bodyBytes);
  view.setUint32(4, octets.length);
  start.set(octets, prefixBytes);
  return start;
}

/** Writes a frame whose head is `text`, and answers where it ends. There has to be room for it. */
export function putFrame(target: Uint8Array, at: number, text: string, body: Body): number {
  let end = at + prefixBytes;
  end += encoder.encodeInto(text, target.subarray(end)).written;
  const headBytes = end - at - prefixBytes;
  for (const piece of body instanceof Uint8Array ? [body] : body) {
    target.set(piece, end);
    end += piece.length;
  }
  const view = new DataView(target.buffer, target.byteOffset + at);
  view.setUint32(0, end - at - lengthBytes);
  view.setUint32(4, headBytes);
  return end;
}

/** A peer sent what is not a frame. */
export class FrameError extends Error {
  override name = "FrameError";
}

/** Memory that a frame gets at the most before its octets are there. */
const firstBytes = 1024 * 1024;
/** Memory that is kept for the next frame at the most. */
const keptBytes = 256 * 1024;

export interface FrameReaderOptions {
  /** Bodies are valid until the next call only: whoever takes them is done with them then. They cost no memory of their own. */
  readonly lendsBodies?: boolean;
}

/** Cuts a stream of chunks into frames. Holds at most one frame of `maxBytes`. */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #lends: boolean;
  /** Where bodies are lent: memory for the next frame that comes in parts, and that of the last one. */
  #spare: Uint8Array = empty;
  #lent: Uint8Array = empty;
  /** What has come of a frame that is not whole; the memory is as long as the frame, or grows to that. */
  #begun: Uint8Array = empty;
  #held = 0;

  constructor(maxBytes: number, { lendsBodies = false }: FrameReaderOptions = {}) {
    this.#maxBytes = maxBytes;
    this.#lends = lendsBodies;
  }

  /** Adds octets and answers the frames they complete. Throws {@link FrameError}. The chunk's memory may be used again. */
  push(chunk: Uint8Array): Frame[] {
    if (this.#lent.length > this.#spare.length) this.#spare = this.#lent;
    this.#lent = empty;
    const frames: Frame[] = [];
    const at = this.#goOn(chunk, frames);
    const lengths: number[] = [];
    let end = at;
    let length: number | undefined;
    while ((length = frameLength(chunk, end, this.#maxBytes)) !== undefined && end + length <= chunk.length) {
      lengths.push(length);
      end += length;
    }
    if (end < chunk.length) this.#keep(chunk.subarray(end), length ?? lengthBytes);
    if (end === at) return frames;
    // One copy for all of them.
    const octets = this.#lends ? chunk.subarray(at, end) : chunk.slice(at, end);
    let from = 0;
    for (const length of lengths) frames.push(parseFrame(octets.subarray(from, from += length)));
    return frames;
  }

  /** Whether a frame has begun that is not whole yet. */
  get partial(): boolean {
    return this.#held > 0;
  }

  /** Goes on with the frame that had begun, as far as the chunk goes; answers how many of its octets that took. */
  #goOn(chunk: Uint8Array, frames: Frame[]): number {
    let at = 0;
    while (this.#held > 0 && at < chunk.length) {
      // Its length comes first, then all the rest of it.
      const length = this.#held < lengthBytes ? undefined : frameLength(this.#begun, 0, this.#maxBytes)!;
      const wanted = chunk.subarray(at, at + (length ?? lengthBytes) - this.#held);
      this.#keep(wanted, length ?? lengthBytes);
      at += wanted.length;
      if (this.#held !== length) continue;
      frames.push(parseFrame(this.#begun.subarray(0, length)));
      if (this.#lends && this.#begun.length <= keptBytes) this.#lent = this.#begun;
      this.#begun = empty;
      this.#held = 0;
    }
    return at;
  }

  /** `length`: what there will be of it in all, or of what tells that. */
  #keep(octets: Uint8Array, length: number): void {
    const held = this.#held + octets.length;
    if (this.#held === 0 && length > lengthBytes && length <= this.#spare.length) {
      this.#begun = this.#spare;
      this.#spare = empty;
    }
    if (held > this.#begun.length) {
      // A length that is only claimed has no memory yet.
      const larger = new Uint8Array(Math.min(length, Math.max(firstBytes, 2 * held)));
      larger.set(this.#begun.subarray(0, this.#held));
      this.#begun = larger;
    }
    this.#begun.set(octets, this.#held);
    this.#held = held;
  }
}

/** The length of the frame that begins there, its first four octets counted; undefined while those are not all there. */
function frameLength(octets: Uint8Array, at: number, maxBytes: number): number | undefined {
  if (octets.length - at < lengthBytes) return undefined;
  const total = new DataView(octets.buffer, octets.byteOffset + at).getUint32(0);
  if (total < 4 || total > maxBytes) throw new FrameError(`a frame of ${total} bytes, the limit is ${maxBytes}`);
  return lengthBytes + total;
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
