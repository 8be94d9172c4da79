/**
 * A TCP connection that never leaves this process: the two ends of a pair. A read gets what is there, as much as its buffer
 * holds, as from a system that has received all that was sent.
 * @module
 */
import { concat } from "../../components/lib/wire/frame.ts";

/** One direction. */
class Stream {
  #held = new Uint8Array();
  #ended = false;
  #wake: (() => void) | undefined;

  push(octets: Uint8Array): void {
    this.#held = concat([this.#held, octets], this.#held.length + octets.length) as Uint8Array<ArrayBuffer>;
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    while (this.#held.length === 0) {
      if (this.#ended) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const part = this.#held.subarray(0, buffer.length);
    buffer.set(part);
    this.#held = this.#held.subarray(part.length);
    return part.length;
  }
}

/** As much of a `Deno.TcpConn` as our servers and the tests' clients use. */
export class MemoryConn {
  readonly #from: Stream;
  readonly #to: Stream;
  readonly remoteAddr: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 40_000 };
  readonly localAddr: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 2525 };

  /** Whether what is written leaves although something before it is not acknowledged. */
  noDelay = false;

  constructor(from: Stream, to: Stream) {
    this.#from = from;
    this.#to = to;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#from.read(buffer);
  }

  write(octets: Uint8Array): Promise<number> {
    this.#to.push(octets);
    return Promise.resolve(octets.length);
  }

  closeWrite(): Promise<void> {
    this.#to.end();
    return Promise.resolve();
  }

  close(): void {
    this.#to.end();
    this.#from.end();
  }

  setNoDelay(noDelay = true): void {
    this.noDelay = noDelay;
  }
}

/** The client's end and the server's. */
export function memoryPair(): [Deno.TcpConn, MemoryConn] {
  const [there, back] = [new Stream(), new Stream()];
  return [new MemoryConn(back, there) as unknown as Deno.TcpConn, new MemoryConn(there, back)];
}
