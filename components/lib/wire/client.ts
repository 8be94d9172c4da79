/**
 * The connecting side of a Unix socket between components. It connects when first needed, connects again with back-off
 * when the other process was restarted, and gives every request an id, so that many can be under way at once.
 * @module
 */
import type { Body, Frame } from "./frame.ts";
import { leaveWord } from "./idle.ts";
import { tellNeed } from "./needs.ts";
import { Pipe } from "./pipe.ts";

/** The other process went away before it answered: whether it did the work is not known. */
export class ConnectionLost extends Error {
  override name = "ConnectionLost";
}

export interface ClientOptions {
  /** How long a request waits for a connection before it fails with {@link ConnectionLost}; default 10,000. */
  readonly connectMs?: number;
  /** Told when a connection stands, and when it is lost. */
  readonly onOpen?: (pipe: Pipe) => void;
  readonly onClose?: () => void;
  /** Frames that answer no request (without an `id` that is waited for). */
  readonly onFrame?: (frame: Frame, pipe: Pipe) => void;
  /** Garbage from the other side. */
  readonly onError?: (error: unknown) => void;
}

interface Waiting {
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
}

const firstRetryMs = 5;
const lastRetryMs = 250;
/** The other process may have to be started first, on a machine that has much else to do. */
const usualConnectMs = 10_000;

export class Client {
  readonly #path: string;
  readonly #options: ClientOptions;
  readonly #waiting = new Map<number, Waiting>();
  #pipe: Pipe | undefined;
  #connecting: Promise<Pipe | undefined> | undefined;
  #nextId = 1;
  #closed = false;

  constructor(path: string, options: ClientOptions = {}) {
    this.#path = path;
    this.#options = options;
  }

  /** A number no other request of this client has. */
  newId(): number {
    return this.#nextId++;
  }

  get connected(): boolean {
    return this.#pipe !== undefined;
  }

  /** The connection, if one stands. */
  get pipe(): Pipe | undefined {
    return this.#pipe;
  }

  /** The open connection; `undefined` when there is none within `connectMs`. */
  connect(): Promise<Pipe | undefined> {
    const open = this.#openPipe();
    if (open !== undefined) return Promise.resolve(open);
    if (this.#closed) return Promise.resolve(undefined);
    this.#connecting ??= this.#dial().finally(() => this.#connecting = undefined);
    return this.#connecting;
  }

  /** Keeps a connection up for as long as the client lives (for sides that are told things, not only ask). */
  async stayConnected(): Promise<void> {
    while (!this.#closed) {
      const pipe = await this.connect();
      if (pipe !== undefined) return;
    }
  }

  /** Sends a request and answers its reply. Throws {@link ConnectionLost}. */
  async request(head: object, body?: Body): Promise<Frame> {
    const pipe = this.#openPipe() ?? await this.connect();
    if (pipe === undefined) throw new ConnectionLost(`cannot connect to ${this.#path}`);
    return await this.requestOn(pipe, this.newId(), head, body);
  }

  /**
   * {@link request} with a limit: a reply that has not come by then ends the connection, so that what waits on it does not
   * pile up behind a process that hangs. Throws an Error then.
   */
  async requestWithin(limitMs: number, head: object, body?: Body): Promise<Frame> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#pipe?.close();
        reject(new Error(`no answer in ${limitMs} ms`));
      }, limitMs);
    });
    const request = this.request(head, body);
    // Whoever comes second is heard by nobody.
    request.catch(() => {});
    try {
      return await Promise.race([request, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a request on a given connection under a given id (one that earlier frames of it may have named). */
  requestOn(pipe: Pipe, id: number, head: object, body?: Body): Promise<Frame> {
    if (pipe.closed) return Promise.reject(new ConnectionLost(`lost the connection to ${this.#path}`));
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      pipe.send({ ...head, id }, body);
    });
  }

  close(): void {
    this.#closed = true;
    this.#pipe?.close();
  }

  async #dial(): Promise<Pipe | undefined> {
    const end = Date.now() + (this.#options.connectMs ?? usualConnectMs);
    for (let waitMs = firstRetryMs;; waitMs = Math.min(waitMs * 2, lastRetryMs)) {
      try {
        const pipe = new Pipe(await Deno.connect({ transport: "unix", path: this.#path }));
        if (this.#closed) {
          pipe.close();
          return undefined;
        }
        this.#pipe = pipe;
        void this.#readAll(pipe);
        this.#options.onOpen?.(pipe);
        return pipe;
      } catch (error) {
        if (error instanceof Deno.errors.NotCapable) throw error;
        if (this.#closed || Date.now() + waitMs > end) return undefined;
        if (waitMs === firstRetryMs) tellNeed(this.#path);
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
  }

  async #readAll(pipe: Pipe): Promise<void> {
    try {
      await pipe.each((frame) => this.#take(frame, pipe));
    } catch (error) {
      this.#options.onError?.(error);
    } finally {
      pipe.close();
      // One that was let go of is forgotten already.
      if (this.#pipe === pipe) this.#forget();
    }
  }

  /** One that this side has closed is over, though its reader may not know yet. */
  #openPipe(): Pipe | undefined {
    if (this.#pipe?.closed === true && !this.#closed) this.#forget();
    return this.#pipe;
  }

  #forget(): void {
    this.#pipe = undefined;
    const lost = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiting of lost) waiting.reject(new ConnectionLost(`lost the connection to ${this.#path}`));
    this.#options.onClose?.();
  }

  /** The other process would like to end; who waits for an answer from it stays. */
  #letGo(pipe: Pipe): void {
    if (this.#waiting.size > 0) return;
    this.#forget();
    pipe.close();
  }

  #take(frame: Frame, pipe: Pipe): void {
    const id = frame.head["id"];
    const waiting = typeof id === "number" ? this.#waiting.get(id) : undefined;
    if (waiting === undefined) {
      if (frame.head["op"] === leaveWord.op) this.#letGo(pipe);
      else this.#options.onFrame?.(frame, pipe);
      return;
    }
    this.#waiting.delete(id as number);
    waiting.resolve(frame);
  }
}
