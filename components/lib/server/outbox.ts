/**
 * Replies on their way to a client: gathered while there are commands to take (RFC 2920 §3.2), and counted until they have
 * left, so that nobody is read from who does not read.
 * @module
 */
import type { ClientSocket } from "./client_socket.ts";

/** Replies the client has not read; beyond this nothing more is read from it. */
const unreadBytes = 64 * 1024;

export class Outbox {
  readonly #socket: ClientSocket;
  #replies = "";
  #isFull = false;

  constructor(socket: ClientSocket) {
    this.#socket = socket;
  }

  /** Whether the client has to read first. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Adds an octet string; it leaves with the next {@link flush}, or when there is much of it. */
  add(reply: string): void {
    this.#replies += reply;
    if (this.#replies.length > unreadBytes) this.flush();
  }

  flush(): void {
    if (this.#replies === "") return;
    const replies = this.#replies;
    this.#replies = "";
    this.#socket.write(replies);
    this.#isFull = this.#socket.writableLength > unreadBytes;
  }

  /** All has left; answers whether it was full. */
  drain(): boolean {
    const wasFull = this.#isFull;
    this.#isFull = false;
    return wasFull;
  }
}
