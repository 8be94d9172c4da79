/**
 * One connection to an LMTP server's Unix socket: writes commands and content, hands out replies as they come. Every
 * wait has a limit, and what a server may make us hold is bounded.
 * @module
 */
import { type Answer, type Breakage, ReplyQueue } from "../lib/smtp/reply_queue.ts";

/** What the connection is made of; `Deno.UnixConn` is one. */
export interface Stream {
  read(buffer: Uint8Array): Promise<number | null>;
  write(octets: Uint8Array): Promise<number>;
  close(): void;
}

/** More than there are commands to answer: who says more talks nonsense. */
const mostHeldReplies = 16;
const bufferBytes = 4096;
const [graceMs, lingerMs] = [100, 1000];

export class LmtpConnection {
  readonly #stream: Stream;
  readonly #queue = new ReplyQueue();
  #closed = false;

  constructor(stream: Stream) {
    this.#stream = stream;
    void this.#readAll();
  }

  /** Whether there is something to hear: a reply that was not taken yet, or the end of the connection. */
  get spoken(): boolean {
    return this.#queue.spoken;
  }

  /** Called when something is to be heard while nobody waits for it. */
  set onSpoken(listener: (() => void) | undefined) {
    this.#queue.onSpoken = listener;
  }

  /** Whether `octets` have left: not so when the server spoke, or was lost, before they had, nor after `timeoutMs`. */
  async write(octets: Uint8Array, timeoutMs: number): Promise<boolean> {
    const queue = this.#queue;
    if (queue.broken !== undefined) return false;
    const endMs = Date.now() + timeoutMs;
    let isWritten = false;
    void this.#writeAll(octets).then(() => {
      isWritten = true;
      queue.wake();
    }, () => queue.break("died"));
    while (!isWritten && !this.spoken) await queue.change(endMs - Date.now());
    // The answer to the last octets may be noticed in the same moment as that they have left.
    if (!isWritten && queue.broken === undefined) await queue.pause(graceMs, () => isWritten);
    return isWritten;
  }

  /** The next reply, whole within `timeoutMs`: no trickle of octets holds a delivery for ever. */
  reply(timeoutMs: number): Promise<Answer> {
    return this.#queue.reply(timeoutMs);
  }

  /** Says `farewell`, where that can be done without waiting, and closes. */
  close(farewell: string): void {
    const isAlive = this.#queue.broken === undefined;
    this.#queue.break("died");
    if (this.#closed) return;
    this.#closed = true;
    const end = () => {
      try {
        this.#stream.close();
      } catch {
        // The read that failed has closed it.
      }
    };
    if (!isAlive || farewell === "") return end();
    // A good-bye fits into the socket's buffer unless the server does not read: then it gets none.
    const said = this.#stream.write(new TextEncoder().encode(farewell)).then(() => {}, () => {});
    const timer = setTimeout(end, lingerMs);
    void said.then(() => {
      clearTimeout(timer);
      end();
    });
  }

  async #writeAll(octets: Uint8Array): Promise<void> {
    for (let at = 0; at < octets.length;) at += await this.#stream.write(octets.subarray(at));
  }

  async #readAll(): Promise<void> {
    let end: Breakage = "died";
    try {
      while (this.#queue.broken === undefined) {
        // A buffer of its own each time: the queue keeps it.
        const buffer = new Uint8Array(bufferBytes);
        const count = await this.#stream.read(buffer);
        if (count === null) break;
        this.#queue.push(buffer.subarray(0, count));
        if (this.#queue.heldReplies <= mostHeldReplies) continue;
        end = "malformed";
        break;
      }
    } catch {
      // Reset, or closed by us: what matters is that it is over.
    }
    this.#queue.break(end);
  }
}
