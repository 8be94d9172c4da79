/**
 * One connection to an LMTP server's Unix socket: writes commands and content, hands out replies as they come. Every
 * wait has a limit, and what a server may make us hold is bounded.
 * @module
 */
import type { LmtpBreakage } from "../lib/smtp/lmtp_session.ts";
import { type Reply, ReplyParser } from "../lib/smtp/reply.ts";

export type Answer = { readonly kind: "reply"; readonly reply: Reply } | { readonly kind: LmtpBreakage };

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
  readonly #replies: Reply[] = [];
  #broken: LmtpBreakage | undefined;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(stream: Stream) {
    this.#stream = stream;
    void this.#readAll();
  }

  /** Whether there is something to hear: a reply that was not taken yet, or the end of the connection. */
  get spoken(): boolean {
    return this.#replies.length > 0 || this.#broken !== undefined;
  }

  /** Called when something is to be heard while nobody waits for it. */
  onSpoken: (() => void) | undefined;

  /** Whether `octets` have left: not so when the server spoke, or was lost, before they had, nor after `timeoutMs`. */
  async write(octets: Uint8Array, timeoutMs: number): Promise<boolean> {
    if (this.#broken !== undefined) return false;
    const endMs = Date.now() + timeoutMs;
    let isWritten = false;
    void this.#writeAll(octets).then(() => {
      isWritten = true;
      this.#wake?.();
    }, () => this.#break("died"));
    while (!isWritten && !this.spoken) await this.#change(endMs - Date.now());
    // The answer to the last octets may be noticed in the same moment as that they have left.
    if (!isWritten && this.#broken === undefined) await this.#pause(graceMs, () => isWritten);
    return isWritten;
  }

  /** The next reply, whole within `timeoutMs`: no trickle of octets holds a delivery for ever. */
  async reply(timeoutMs: number): Promise<Answer> {
    const endMs = Date.now() + timeoutMs;
    for (;;) {
      const reply = this.#replies.shift();
      if (reply !== undefined) return { kind: "reply", reply };
      if (this.#broken !== undefined) return { kind: this.#broken };
      await this.#change(endMs - Date.now());
    }
  }

  /** Says `farewell`, where that can be done without waiting, and closes. */
  close(farewell: string): void {
    const isAlive = this.#broken === undefined;
    this.#break("died");
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
    const parser = new ReplyParser();
    try {
      while (this.#broken === undefined) {
        // A buffer of its own each time: the parser keeps it.
        const buffer = new Uint8Array(bufferBytes);
        const count = await this.#stream.read(buffer);
        if (count === null) break;
        parser.push(buffer.subarray(0, count));
        for (let taken = parser.takeReply(); taken !== undefined; taken = parser.takeReply()) {
          if (!taken.ok || this.#replies.length === mostHeldReplies) return this.#break("malformed");
          this.#replies.push(taken.value);
        }
        if (this.spoken) this.#tell();
      }
    } catch {
      // Reset, or closed by us: what matters is that it is over.
    }
    this.#break("died");
  }

  /** Settles when `isDone`, asked at each event, or after `limitMs`. */
  #pause(limitMs: number, isDone: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(end, limitMs);
      this.#wake = () => isDone() || this.#broken !== undefined ? end() : undefined;
    });
  }

  #break(how: LmtpBreakage): void {
    if (this.#broken !== undefined) return;
    this.#broken = how;
    this.#tell();
  }

  #tell(): void {
    if (this.#wake !== undefined) this.#wake();
    else this.onSpoken?.();
  }

  /** Settles at the next event; when none comes in time, the connection counts as dead. */
  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(() => this.#break("died"), Math.max(timeoutMs, 0));
      this.#wake = done;
    });
  }
}
