/**
 * A qmail-pop3d of one owner, seen from the process that started it: sessions under numbers of their own, whose frames go
 * back and forth between it and the servers' connections. What is in a frame is not looked at.
 * @module
 */
import type { Frame } from "../lib/wire/frame.ts";
import type { Pipe } from "../lib/wire/pipe.ts";
import { parseOwnersReply, type Pop3Request } from "../lib/wire/pop3_protocol.ts";
import { ProtocolError } from "../lib/wire/server.ts";
import type { UserProcess } from "../lib/workers/workers.ts";

/** Whose mailbox, and where it lies. */
export interface Whose {
  readonly login: string;
  readonly home: string;
}

/** One session: hands requests of a connection on, one at a time. */
export class Relay {
  readonly #process: Pipe;
  readonly #number: number;
  #waits = true;

  constructor(process: Pipe, number: number, id: number, whose: Whose) {
    this.#process = process;
    this.#number = number;
    process.send({ op: "open", id, session: number, ...whose });
  }

  /** Throws ProtocolError for one that comes before the last was answered. */
  send(request: Exclude<Pop3Request, { op: "open" }>): void {
    if (this.#waits) throw new ProtocolError("a request before the last one was answered");
    this.#waits = true;
    const { op, id } = request;
    this.#process.send({ op, id, session: this.#number }, request.op === "command" ? request.line : undefined);
  }

  /** The last request was answered. */
  answered(): void {
    this.#waits = false;
  }

  close(): void {
    this.#process.send({ op: "close", session: this.#number });
  }
}

interface Session {
  readonly relay: Relay;
  readonly client: Pipe;
  readonly onEnd: () => void;
}

export class OwnersProcess implements UserProcess {
  readonly #process: Pipe;
  readonly #sessions = new Map<number, Session>();
  #nextNumber = 1;
  /** Settles when the process is gone. */
  readonly ended: Promise<void>;

  /** `onError` is told of garbage from it. */
  constructor(process: Pipe, onError: (error: unknown) => void) {
    this.#process = process;
    this.ended = this.#readAll(onError);
  }

  get underWay(): number {
    return this.#sessions.size;
  }

  get closed(): boolean {
    return this.#process.closed;
  }

  /** Begins the session of a connection, whose request for it has the number `id`; `over` settles when it has ended. */
  begin(client: Pipe, id: number, whose: Whose): { readonly relay: Relay; readonly over: Promise<void> } {
    const number = this.#nextNumber++;
    const over = Promise.withResolvers<void>();
    const relay = new Relay(this.#process, number, id, whose);
    if (this.#process.closed) {
      client.close();
      over.resolve();
    } else this.#sessions.set(number, { relay, client, onEnd: over.resolve });
    return { relay, over: over.promise };
  }

  /** The connection has ended: so does its session. */
  end(client: Pipe): void {
    for (const [number, session] of this.#sessions) {
      if (session.client !== client) continue;
      session.relay.close();
      this.#drop(number);
    }
  }

  /** Tells it to carry out what it has begun, and go. */
  close(): void {
    this.#process.close();
  }

  async #readAll(onError: (error: unknown) => void): Promise<void> {
    try {
      for await (const frame of this.#process.frames()) this.#take(frame);
    } catch (error) {
      onError(error);
    } finally {
      this.#process.close();
      for (const number of [...this.#sessions.keys()]) this.#drop(number);
    }
  }

  #take(frame: Frame): void {
    const { session: number, closed } = parseOwnersReply(frame);
    const session = this.#sessions.get(number);
    // It was ended a moment ago.
    if (session === undefined) return;
    if (closed) return this.#drop(number);
    session.relay.answered();
    const { session: _, ...head } = frame.head;
    session.client.send(head, frame.body);
  }

  #drop(number: number): void {
    const session = this.#sessions.get(number);
    this.#sessions.delete(number);
    session?.client.close();
    session?.onEnd();
  }
}
