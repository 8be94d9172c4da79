/**
 * A client's TCP connection, as events: chunks in, replies out, and an end on each side. On Deno's own connections, which
 * cost a third of the processor time of node's sockets for a session of one message.
 *
 * With {@link ClientSocket.startTls} the same goes over TLS: one loop reads the connection from its first octet to its last,
 * and what it reads goes to the TLS layer from the call on, so that no octet of the plaintext is taken for one of the
 * encrypted session, nor the other way round.
 * @module
 */
import { putOctets, toOctets } from "../octets.ts";
import type { TlsContexts } from "../tls/contexts.ts";
import { type Secured, TlsServerStream } from "../tls/server_stream.ts";

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
/** Room for a client that sends many at a time, a thousand RCPT say: some hundred are a turn of a few milliseconds. */
const manyBytes = 8 * 1024;
/** Room for content: few reads for a message, and not much for a client that stops in the middle of one. */
const contentBytes = 32 * 1024;
/** Room for more of it, for a few at a time that have filled the other. */
const muchBytes = 128 * 1024;
const mostMuch = 16;

/**
 * Buffers that no read uses now. What came is copied out of them: a buffer of its own for each read would be cleared
 * before it, and collected after it.
 */
class Buffers {
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];
  readonly #bytes: number;
  readonly #most: number;
  #lent = 0;

  constructor(bytes: number, most: number) {
    this.#bytes = bytes;
    this.#most = most;
  }

  /** Whether as many are in use as are kept. */
  get areShort(): boolean {
    return this.#lent >= this.#most;
  }

  take(): Uint8Array<ArrayBuffer> {
    this.#lent++;
    return this.#spare.pop() ?? new Uint8Array(this.#bytes);
  }

  giveBack(buffer: Uint8Array<ArrayBuffer>): void {
    this.#lent--;
    if (this.#spare.length < this.#most) this.#spare.push(buffer);
  }
}

/** Commands of several clients share memory: an array with memory of its own costs as much as all else about a command. */
const sharedBytes = 8 * commandBytes;
let shared = new Uint8Array(sharedBytes);
let sharedUsed = 0;

/** A copy that is its owner's to keep, and to write to. */
function copyOf(octets: Uint8Array): Uint8Array {
  if (octets.length > commandBytes) return octets.slice();
  if (sharedUsed + octets.length > sharedBytes) {
    shared = new Uint8Array(sharedBytes);
    sharedUsed = 0;
  }
  const copy = shared.subarray(sharedUsed, sharedUsed + octets.length);
  copy.set(octets);
  sharedUsed += octets.length;
  return copy;
}

/** Fits one packet on any network that mail goes over. */
const shortBytes = 512;

const commandBuffers = new Buffers(commandBytes, 64);
const manyBuffers = new Buffers(manyBytes, 32);
const contentBuffers = new Buffers(contentBytes, 32);
const muchBuffers = new Buffers(muchBytes, mostMuch);

/** How long a client may take for its handshake: three or four packets, over the slowest of networks. */
const handshakeMs = 60_000;

export interface StartTlsOptions {
  readonly limitMs?: number;
  /** Names of the protocol for a client that insists on one (ALPN); SMTP's unless given. */
  readonly protocols?: readonly string[];
}

export class ClientSocket {
  readonly #conn: Deno.TcpConn;
  #events: SocketEvents | undefined;
  /** What is expected of the client, for the size of the next reads. */
  reads: "commands" | "content" = "commands";
  #resume: (() => void) | undefined;
  #paused = false;
  #pending = "";
  #leaving = 0;
  /** Whether something was written since the client was heard, and whether such writes leave at once. */
  #spoke = false;
  #noDelay = false;
  /** What comes after the last octet has left. */
  #then: "nothing" | "end" | "destroy" = "nothing";
  #readEnded = false;
  #writeEnded = false;
  #closed = false;
  #tls: TlsServerStream | undefined;
  /** What waits until all of the plaintext has left. */
  #afterPlaintext: (() => void) | undefined;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  get remoteAddress(): string {
    return this.#conn.remoteAddr.hostname;
  }

  /** The address that the client has come to; undefined over a Unix socket. */
  get localAddress(): string | undefined {
    return this.#conn.localAddr.hostname;
  }

  /** Begins to read. */
  listen(events: SocketEvents): void {
    this.#events = events;
    // A client whose handshake failed meanwhile has nothing to say.
    if (this.#closed) events.close();
    else if (this.#tls === undefined) void this.#readAll();
    else this.#tls.resume();
  }

  /**
   * Goes on over TLS, as its server; answers once the handshake is done. From the call on what the client sends is taken
   * for TLS: no event comes of it before the handshake is done, and octets that came earlier are the caller's to forget
   * (RFC 3207 §4.2). What was written, the 220, leaves first. Where the handshake fails, or takes longer than `limitMs`, the
   * connection is closed and this rejects with the reason. Once at most; on a connection that was never listened to it makes
   * TLS from the first octet (RFC 8314 §3), to be followed by {@link listen}.
   */
  startTls(contexts: TlsContexts, { limitMs = handshakeMs, protocols }: StartTlsOptions = {}): Promise<Secured> {
    if (this.#tls !== undefined) throw new Error("there is TLS already");
    const isPlain = this.#events !== undefined;
    const stream = new TlsServerStream(contexts, {
      send: (octets, sent) => void this.#sendEncrypted(octets, sent),
      want: (more) => more ? this.#readOn() : this.#paused = true,
    }, {
      data: (chunk) => this.#events?.data(chunk),
      end: () => this.#onReadEnd(),
      drain: () => this.#events?.drain(),
      finished: () => this.#carryOut(),
      failed: () => this.destroy(),
    }, protocols);
    this.#tls = stream;
    // Before the listener is there to take it nothing may come out.
    if (!isPlain) stream.pause();
    if (this.#closed || this.#readEnded) stream.destroy("the client ended the connection");
    else if (isPlain) this.#readOn();
    else void this.#readAll();
    const timer = setTimeout(() => stream.destroy("took too long"), limitMs);
    return stream.secured.finally(() => clearTimeout(timer)).catch((error) => {
      this.destroy();
      throw error;
    });
  }

  /** Octets written that have not left, in whatever layer they are. */
  get writableLength(): number {
    return this.#pending.length + this.#leaving + (this.#tls?.writableLength ?? 0);
  }

  get paused(): boolean {
    return this.#tls === undefined ? this.#paused : this.#tls.paused;
  }

  /** Reads no more; at most one chunk comes still. */
  pause(): void {
    if (this.#tls === undefined) this.#paused = true;
    else this.#tls.pause();
  }

  resume(): void {
    if (this.#then === "destroy" && this.#tls === undefined) return;
    if (this.#tls === undefined) this.#readOn();
    else this.#tls.resume();
  }

  #readOn(): void {
    this.#paused = false;
    this.#resume?.();
    this.#resume = undefined;
  }

  /** Writes an octet string. */
  write(octets: string): void {
    if (this.#closed || this.#then !== "nothing") return;
    if (this.#tls !== undefined) {
      if (octets !== "") this.#tls.write(toOctets(octets));
      return;
    }
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
    this.#tls?.destroy();
    this.#readOn();
    this.#events?.close();
  }

  #buffers(wasFull: boolean): Buffers {
    const isCommands = this.reads === "commands";
    const larger = isCommands ? manyBuffers : muchBuffers;
    return wasFull && !larger.areShort ? larger : isCommands ? commandBuffers : contentBuffers;
  }

  async #readAll(): Promise<void> {
    let isFull = false;
    try {
      while (!this.#closed) {
        if (this.#paused) {
          await new Promise<void>((resolve) => this.#resume = resolve);
          continue;
        }
        const buffers = this.#buffers(isFull);
        const buffer = buffers.take();
        let count: number | null;
        let chunk: Uint8Array;
        try {
          count = await this.#conn.read(buffer);
          chunk = copyOf(buffer.subarray(0, count ?? 0));
        } finally {
          buffers.giveBack(buffer);
        }
        isFull = count === buffer.length;
        if (this.#closed) return;
        if (count === null) break;
        // Who sends more than is read at a time waits for no reply, and so acknowledges none.
        this.#spoke = isFull;
        if (this.#tls === undefined) this.#events?.data(chunk);
        else this.#tls.receive(chunk);
      }
    } catch {
      // Reset by the client, most likely: there is nobody to tell.
      return this.destroy();
    }
    if (this.#closed) return;
    if (this.#tls === undefined) this.#onReadEnd();
    else this.#tls.receiveEnd();
  }

  #onReadEnd(): void {
    this.#readEnded = true;
    if (this.#writeEnded) this.destroy();
    else this.#events?.end();
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#pending !== "") {
        const buffer = commandBuffers.take();
        try {
          const octets = putOctets(this.#pending, buffer);
          this.#pending = "";
          this.#leaving = octets.length;
          this.#hasten(octets.length);
          for (let at = 0; at < octets.length; this.#leaving = octets.length - at) {
            at += await this.#conn.write(at === 0 ? octets : octets.subarray(at));
          }
        } finally {
          commandBuffers.giveBack(buffer);
        }
      }
    } catch {
      return this.destroy();
    }
    if (this.#closed) return;
    if (this.#tls !== undefined) this.#afterPlaintext?.();
    else if (this.#then === "nothing") this.#events?.drain();
    else this.#carryOut();
  }

  /**
   * A second write in a row, or the end of a long one, would wait for the client's acknowledgement (RFC 896), and that for
   * 40 ms. A short reply to a command does not wait: the command has acknowledged what was before it.
   */
  #hasten(octets: number): void {
    const waits = this.#spoke || octets > shortBytes;
    this.#spoke = true;
    if (!waits || this.#noDelay) return;
    this.#noDelay = true;
    try {
      this.#conn.setNoDelay(true);
    } catch {
      // The client is gone already; reading tells.
    }
  }

  /** What the TLS layer sends, one call at a time. */
  async #sendEncrypted(octets: Uint8Array, sent: () => void): Promise<void> {
    // A client that is ahead of our 220 may have made the TLS layer answer already.
    if (this.#pending.length + this.#leaving > 0) await new Promise<void>((resolve) => this.#afterPlaintext = resolve);
    this.#hasten(octets.length);
    try {
      for (let at = 0; at < octets.length && !this.#closed;) at += await this.#conn.write(octets.subarray(at));
    } catch {
      return this.destroy();
    }
    if (this.#closed) return;
    sent();
    this.#tls?.checkDrained();
  }

  #finish(then: "end" | "destroy"): void {
    if (this.#closed || this.#then !== "nothing") return;
    this.#then = then;
    // A read under way would have to be broken off, at the price of an error.
    if (then === "destroy" && this.#tls === undefined) this.#paused = true;
    if (this.#tls !== undefined) this.#tls.end();
    else if (this.writableLength === 0) this.#carryOut();
  }

  #carryOut(): void {
    if (this.#then === "destroy" || this.#readEnded) return this.destroy();
    this.#writeEnded = true;
    // The client is gone already where this fails; reading tells.
    this.#conn.closeWrite().catch(() => {});
  }
}
