/**
 * One TCP connection to a server: writes commands and content, hands out replies as they come. Every wait has a limit,
 * and what a server may make us hold is bounded.
 * @module
 */
import { connect, type Socket } from "node:net";
import { type Reply, ReplyParser } from "../lib/smtp/reply.ts";

/** What became of an attempt to connect. `refused` covers unreachable; `not granted`: our own grant forbids it. */
export type Dialled =
  | { readonly kind: "connected"; readonly connection: Connection }
  | { readonly kind: "refused" | "timeout" | "not granted" };

export type Answer = { readonly kind: "reply"; readonly reply: Reply } | { readonly kind: "died" | "malformed" };

// More than a thousand recipients' replies; a server that sends more is read on as replies are taken.
const mostHeldOctets = 256 * 1024;
// What an empty line costs to keep, roughly.
const lineOverhead = 32;
// How long a server may take to read our QUIT.
const lingerMs = 2000;

/** Connects to an address. Never rejects. */
export function dial(address: string, port: number, timeoutMs: number): Promise<Dialled> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, noDelay: true });
    const timer = setTimeout(() => fail("timeout"), timeoutMs);
    const fail = (kind: "refused" | "timeout" | "not granted"): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ kind });
    };
    // Stays in place after a failure: an error that comes late must not end the process.
    const onError = (error: Error & { code?: string }): void => {
      if (error instanceof Deno.errors.NotCapable) fail("not granted");
      else fail(error.code === "ETIMEDOUT" ? "timeout" : "refused");
    };
    socket.on("error", onError);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", onError);
      resolve({ kind: "connected", connection: new Connection(socket) });
    });
  });
}

export class Connection {
  readonly #socket: Socket;
  readonly #parser = new ReplyParser();
  #replies: Reply[] = [];
  #heldOctets = 0;
  #broken: "died" | "malformed" | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Uint8Array) => this.#take(chunk));
    socket.on("drain", () => this.#wake?.());
    socket.on("end", () => this.#break("died"));
    socket.on("error", () => this.#break("died"));
    socket.on("close", () => this.#break("died"));
  }

  /** Whether there is something to hear: a reply that was not taken yet, or the end of the connection. */
  get spoken(): boolean {
    return this.#replies.length > 0 || this.#broken !== undefined;
  }

  /** Called when something is to be heard while nobody waits for it. */
  onSpoken: (() => void) | undefined;

  /** Writes; octet strings or octets. What cannot leave is kept: see {@link drained}. */
  write(octets: string | Uint8Array): void {
    if (this.#broken !== undefined) return;
    if (typeof octets === "string") this.#socket.write(octets, "latin1");
    else this.#socket.write(octets);
  }

  /** Settles when what was written has left, something is to be heard, or nothing moved for `timeoutMs`. */
  async drained(timeoutMs: number): Promise<void> {
    while (this.#socket.writableNeedDrain && !this.spoken) await this.#change(timeoutMs);
  }

  /**
   * The next reply, whole within `timeoutMs`.
   * Unlike qmail: the limit is one for the reply, not for each read, so that no trickle of octets holds a slot.
   */
  async reply(timeoutMs: number): Promise<Answer> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const reply = this.#replies.shift();
      if (reply !== undefined) {
        this.#heldOctets -= sizeOf(reply);
        if (this.#heldOctets < mostHeldOctets && this.#socket.isPaused()) this.#socket.resume();
        return { kind: "reply", reply };
      }
      if (this.#broken !== undefined) return { kind: this.#broken };
      await this.#change(end - Date.now());
    }
  }

  /** Says `farewell` and closes, without waiting for an answer; with none, or where nothing can be said, closes at once. */
  close(farewell: string): void {
    const alive = this.#broken === undefined;
    this.#break("died");
    if (!alive || farewell === "") {
      this.#socket.destroy();
      return;
    }
    const timer = setTimeout(() => this.#socket.destroy(), lingerMs);
    this.#socket.once("close", () => clearTimeout(timer));
    this.#socket.end(farewell, "latin1");
    this.#socket.resume();
  }

  #take(chunk: Uint8Array): void {
    if (this.#broken !== undefined) return;
    this.#parser.push(chunk);
    for (let taken = this.#parser.takeReply(); taken !== undefined; taken = this.#parser.takeReply()) {
      if (!taken.ok) {
        this.#break("malformed");
        return;
      }
      this.#replies.push(taken.value);
      this.#heldOctets += sizeOf(taken.value);
    }
    if (this.#heldOctets >= mostHeldOctets) this.#socket.pause();
    if (this.spoken) this.#tell();
  }

  #break(how: "died" | "malformed"): void {
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
      const timer = setTimeout(() => {
        this.#break("died");
        done();
      }, Math.max(timeoutMs, 0));
      this.#wake = done;
    });
  }
}

function sizeOf(reply: Reply): number {
  return reply.lines.reduce((size, line) => size + line.length + lineOverhead, 0);
}
