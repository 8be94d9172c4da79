/**
 * One TCP connection to a server: writes commands and content, hands out replies as they come, and puts TLS around both.
 * Every wait has a limit, and what a server may make us hold is bounded.
 * @module
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { AnswerParser } from "../lib/qmtp/answer_parser.ts";
import { type Answer, ReplyQueue } from "../lib/smtp/reply_queue.ts";
import { secure, type SecureResult } from "../lib/tls/client_handshake.ts";
import type { TlsFacts, TlsFlaw, TlsPolicy } from "../lib/tls/client_policy.ts";

/** What became of a handshake; `surplus`: the server had said more than it was asked, in the clear. */
export type Secured =
  | { readonly kind: "secured"; readonly facts: TlsFacts }
  | { readonly kind: "failed"; readonly flaw: TlsFlaw; readonly text: string }
  | { readonly kind: "surplus" };

// More than a thousand recipients' replies; a server that sends more is read on as replies are taken.
const mostHeldOctets = 256 * 1024;
// How long a server may take to read our QUIT.
const lingerMs = 2000;

export class Connection {
  readonly #socket: Socket;
  /** What is written to and read from: the socket, or TLS on it. */
  #stream: Duplex;
  #queue: ReplyQueue;
  #unlisten: () => void = () => {};
  #speaksQmtp = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#stream = socket;
    this.#queue = this.#listen(socket, () => socket.pause());
  }

  /** Whether there is something to hear: a reply that was not taken yet, or the end of the connection. */
  get spoken(): boolean {
    return this.#queue.spoken;
  }

  /** Called when something is to be heard while nobody waits for it. */
  set onSpoken(listener: (() => void) | undefined) {
    this.#queue.onSpoken = listener;
  }

  /** Writes; octet strings or octets. What cannot leave is kept: see {@link drained}. */
  write(octets: string | Uint8Array): void {
    if (this.#queue.broken !== undefined) return;
    if (typeof octets === "string") this.#stream.write(octets, "latin1");
    else this.#stream.write(octets);
  }

  /** Settles when what was written has left, something is to be heard, or nothing moved for `timeoutMs`. */
  async drained(timeoutMs: number): Promise<void> {
    while (this.#stream.writableNeedDrain && !this.spoken) await this.#queue.change(timeoutMs);
  }

  /** The next reply, whole within `timeoutMs`; no promise where it is there: to a hundred RCPT many come at one time. */
  reply(timeoutMs: number): Answer | Promise<Answer> {
    const answer = this.#queue.take();
    if (answer === undefined) return this.#queue.reply(timeoutMs).then((later) => this.#taken(later));
    return this.#taken(answer);
  }

  #taken(answer: Answer): Answer {
    if (this.#queue.heldOctets < mostHeldOctets && this.#stream.isPaused()) this.#stream.resume();
    return answer;
  }

  /**
   * Begins TLS. Nothing that was said in the clear is believed afterwards, and where the server has said more than was
   * taken there is no handshake at all (RFC 3207 §4.2; CVE-2011-0411). Never rejects.
   */
  async secure(policy: TlsPolicy, host: string, timeoutMs: number): Promise<Secured> {
    const { heldReplies, broken } = this.#queue;
    const isSurplus = heldReplies > 0 || broken === "malformed" || this.#queue.discard() > 0 ||
      this.#socket.readableLength > 0;
    if (isSurplus) return { kind: "surplus" };
    if (broken !== undefined) {
      return { kind: "failed", flaw: "validation-failure", text: "the connection was closed" };
    }
    this.#unlisten();
    // An error of the socket that TLS does not pass on must not end the process.
    this.#socket.on("error", () => {});
    this.#socket.pause();
    const result: SecureResult = await secure(this.#socket, policy, host, timeoutMs);
    if (result.kind === "failed") {
      this.#queue.break("died");
      return result;
    }
    this.#stream = result.socket;
    // Of the library (Deno 2.9.6): TLS takes in any amount while its reader is paused. So much unasked is no mail server.
    this.#queue = this.#listen(result.socket, (queue) => queue.break("malformed"));
    return result;
  }

  /**
   * The server speaks QMTP from here on: its answers come as replies (see {@link AnswerParser}), and no farewell is said to
   * it, for QMTP has none. Whatever it said before was out of turn, and breaks the connection.
   */
  speakQmtp(): void {
    this.#speaksQmtp = true;
    this.#queue.readWith(new AnswerParser());
  }

  /** Says `farewell` and closes, without waiting for an answer; with none, or where nothing can be said, closes at once. */
  close(farewell: string): void {
    const isAlive = this.#queue.broken === undefined;
    this.#queue.break("died");
    if (!isAlive || farewell === "" || this.#speaksQmtp) return this.#destroy();
    const timer = setTimeout(() => this.#destroy(), lingerMs);
    this.#stream.once("close", () => clearTimeout(timer));
    this.#stream.end(farewell, "latin1");
    this.#stream.resume();
  }

  #destroy(): void {
    this.#stream.destroy();
    this.#socket.destroy();
  }

  #listen(stream: Duplex, onTooMuch: (queue: ReplyQueue) => void): ReplyQueue {
    const queue = new ReplyQueue();
    const onData = (chunk: Uint8Array): void => {
      queue.push(chunk);
      if (queue.heldOctets >= mostHeldOctets) onTooMuch(queue);
    };
    const onDrain = () => queue.wake();
    const onEnd = () => queue.break("died");
    const ends = ["end", "error", "close"];
    stream.on("data", onData).on("drain", onDrain);
    for (const event of ends) stream.on(event, onEnd);
    this.#unlisten = () => {
      stream.off("data", onData).off("drain", onDrain);
      for (const event of ends) stream.off(event, onEnd);
    };
    return queue;
  }
}
