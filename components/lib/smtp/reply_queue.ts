/**
 * Replies of a server between the connection that brings them and the client who takes them, one at a time, each within
 * its limit; and the end of that connection, which is heard behind all replies that came before it.
 * @module
 */
import type { Result } from "../result.ts";
import { type Reply, ReplyParser } from "./reply.ts";

/** How a connection can fail: closed or timed out; or a reply that was none. */
export type Breakage = "died" | "malformed";

export type Answer = { readonly kind: "reply"; readonly reply: Reply } | { readonly kind: Breakage };

/** Makes replies of what a server sends; another protocol's answers may take their place. */
export interface ReplySource {
  push(chunk: Uint8Array): void;
  takeReply(): Result<Reply, string> | undefined;
  /** Drops what is not taken yet; answers whether that was anything: how many octets. */
  discard(): number;
}

// What an empty line costs to keep, roughly.
const lineOverhead = 32;

export class ReplyQueue {
  #parser: ReplySource = new ReplyParser();
  readonly #replies: Reply[] = [];
  #heldOctets = 0;
  #broken: Breakage | undefined;
  #wake: (() => void) | undefined;

  /** Called when something is to be heard while nobody waits for it. */
  onSpoken: (() => void) | undefined;

  /** Whether there is something to hear: a reply that was not taken yet, or the end of the connection. */
  get spoken(): boolean {
    return this.#replies.length > 0 || this.#broken !== undefined;
  }

  get broken(): Breakage | undefined {
    return this.#broken;
  }

  /** Replies not taken yet, and what they cost to keep. */
  get heldReplies(): number {
    return this.#replies.length;
  }

  get heldOctets(): number {
    return this.#heldOctets;
  }

  /** Has `parser` read what comes from now on. Where anything came before it that nobody took, no more will come. */
  readWith(parser: ReplySource): void {
    if (this.#replies.length > 0 || this.#parser.discard() > 0) this.break("malformed");
    this.#parser = parser;
  }

  /** Hands over octets from the server; the queue keeps `chunk`. After a breakage they are dropped. */
  push(chunk: Uint8Array): void {
    if (this.#broken !== undefined) return;
    this.#parser.push(chunk);
    for (let taken = this.#parser.takeReply(); taken !== undefined; taken = this.#parser.takeReply()) {
      if (!taken.ok) return this.break("malformed");
      this.#replies.push(taken.value);
      this.#heldOctets += sizeOf(taken.value);
    }
    if (this.spoken) this.#tell();
  }

  /** No more will come. The first breakage counts. */
  break(how: Breakage): void {
    if (this.#broken !== undefined) return;
    this.#broken = how;
    this.#tell();
  }

  /** Octets of a reply that is not whole yet; they are dropped. */
  discard(): number {
    return this.#parser.discard();
  }

  /** The next reply, or the end of the connection; undefined where neither has come. */
  take(): Answer | undefined {
    const reply = this.#replies.shift();
    if (reply === undefined) return this.#broken === undefined ? undefined : { kind: this.#broken };
    this.#heldOctets -= sizeOf(reply);
    return { kind: "reply", reply };
  }

  /**
   * The next reply, whole within `timeoutMs`.
   * Unlike qmail: the limit is one for the reply, not for each read, so that no trickle of octets holds a slot.
   */
  async reply(timeoutMs: number): Promise<Answer> {
    const endMs = Date.now() + timeoutMs;
    for (;;) {
      const answer = this.take();
      if (answer !== undefined) return answer;
      await this.change(endMs - Date.now());
    }
  }

  /** Something has changed that somebody may wait for in {@link change}: octets have left, say. */
  wake(): void {
    this.#wake?.();
  }

  /** Settles at the next event; when none comes in time, the connection counts as dead. */
  change(timeoutMs: number): Promise<void> {
    return this.#wait(timeoutMs, () => true, () => this.break("died"));
  }

  /** Settles when `isDone`, asked at each event, or the connection is broken, or after `limitMs`. */
  pause(limitMs: number, isDone: () => boolean): Promise<void> {
    return this.#wait(limitMs, () => isDone() || this.#broken !== undefined, () => {});
  }

  #wait(limitMs: number, isDone: () => boolean, onLimit: () => void): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(() => {
        onLimit();
        end();
      }, Math.max(limitMs, 0));
      this.#wake = () => isDone() ? end() : undefined;
    });
  }

  #tell(): void {
    if (this.#wake !== undefined) this.#wake();
    else this.onSpoken?.();
  }
}

function sizeOf(reply: Reply): number {
  let size = 0;
  for (const line of reply.lines) size += line.length + lineOverhead;
  return size;
}
