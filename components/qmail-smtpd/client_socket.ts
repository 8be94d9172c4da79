/**
 * A client's TCP connection, as events: chunks in, replies out, and an end on each side. On Deno's own connections, which
 * cost a third of the processor time of node's sockets for a session of one message.
 * @module
 */
import { toOctets } from "../lib/octets.ts";

/** What a connection hears of its socket. */
export interface SocketEvents {
  /** Octets came; the chunk is the listener's to keep. */
  data(chunk: Uint8Array): void;
  /** The client has closed its side; it still takes replies. */
  end(): void;
  /** All that was written has left. */
  drain(): void;
  /** It is over, whoever ended it. Comes once, and last. */
  close(): void;
}

/** Room for commands: what a client that says nothing costs. */
export const commandBytes = 1024;
/** Room for content: few reads for a message, and not much for a client that stops in the middle of one. */
export const contentBytes = 32 * 1024;

export class ClientSocket {
  readonly #conn: Deno.TcpConn;
  #events: SocketEvents | undefined;
  /** Octets to be read at once at most; takes effect with the next read. */
  readBytes = commandBytes;
  #resume: (() => void) | undefined;
  #paused = false;
  #pending = "";
  #leaving = 0;
  /** What comes after the last octet has left. */
  #then: "nothing" | "end" | "destroy" = "nothing";
  #readEnded = false;
  #writeEnded = false;
  #closed = false;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    try {
      conn.setNoDelay(true);
    } catch {
      // The client is gone already; reading tells.
    }
  }

  get remoteAddress(): string {
    return this.#conn.remoteAddr.hostname;
  }

  /** Begins to read. */
  listen(events: SocketEvents): void {
    this.#events = events;
    void this.#readAll();
  }

  /** Octets written that have not left. */
  get writableLength(): number {
    return this.#pending.length + this.#leaving;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Reads no more; at most one chunk comes still. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#resume?.();
    this.#resume = undefined;
  }

  /** Writes an octet string. */
  write(octets: string): void {
    if (this.#closed || this.#then !== "nothing") return;
    const isWriting = this.#leaving > 0;
    this.#pending += octets;
    if (!isWriting && octets !== "") void this.#writeAll();
  }

  /** Closes this side once all has left; goes on reading. */
  end(): void {
    this.#finish("end");
  }

  /** Closes both sides once all has left. */
  destroySoon(): void {
    this.#finish("destroy");
  }

  /** Closes both sides at once. */
  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#conn.close();
    } catch {
      // Its other end was quicker.
    }
    this.resume();
    this.#events?.close();
  }

  async #readAll(): Promise<void> {
    try {
      while (!this.#closed) {
        if (this.#paused) {
          await new Promise<void>((resolve) => this.#resume = resolve);
          continue;
        }
        const buffer = new Uint8Array(this.readBytes);
        const count = await this.#conn.read(buffer);
        if (this.#closed) return;
        if (count === null) break;
        // A chunk may be kept for long: a few octets must not hold the whole buffer.
        this.#events?.data(2 * count < buffer.length ? buffer.slice(0, count) : buffer.subarray(0, count));
      }
    } catch {
      // Reset by the client, most likely: there is nobody to tell.
      return this.destroy();
    }
    if (this.#closed) return;
    this.#readEnded = true;
    if (this.#writeEnded) this.destroy();
    else this.#events?.end();
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#pending !== "") {
        const octets = toOctets(this.#pending);
        this.#pending = "";
        this.#leaving = octets.length;
        for (let at = 0; at < octets.length; this.#leaving = octets.length - at) {
          at += await this.#conn.write(octets.subarray(at));
        }
      }
    } catch {
      return this.destroy();
    }
    if (this.#closed) return;
    if (this.#then === "nothing") this.#events?.drain();
    else this.#carryOut();
  }

  #finish(then: "end" | "destroy"): void {
    if (this.#closed || this.#then !== "nothing") return;
    this.#then = then;
    if (this.writableLength === 0) this.#carryOut();
  }

  #carryOut(): void {
    if (this.#then === "destroy" || this.#readEnded) return this.destroy();
    this.#writeEnded = true;
    // The client is gone already where this fails; reading tells.
    this.#conn.closeWrite().catch(() => {});
  }
}
