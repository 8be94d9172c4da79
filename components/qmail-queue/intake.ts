/**
 * What qmail-queue does with each request of one connection: which messages are being written under which id, and the
 * exit code each one ends with. Holds no message content.
 * @module
 */
import { exitCode } from "../lib/queue/exit_code.ts";
import type { EnvelopeFields, Origin, QueueReply, QueueRequest } from "../lib/wire/queue_protocol.ts";
import type { Draft } from "./draft.ts";

/** What the intake needs of the queue around it. Content is done with when a call returns: its memory is the socket's. */
export interface Store {
  /** Queues a whole message; settles with its number in the log when it is on stable storage; throws what the disk says. */
  accept(envelope: EnvelopeFields, content: Uint8Array): Promise<number>;
  /** Begins one that comes in pieces; throws what the disk says. */
  begin(origin: Origin, uid: number): { readonly draft: Draft; readonly qp: number };
  /** Adds a piece; throws what the disk says. */
  write(draft: Draft, content: Uint8Array): void;
  /** Makes it a message, settles when it is on stable storage; throws what the disk says. */
  commit(draft: Draft, qp: number, envelope: EnvelopeFields): Promise<void>;
  /** Drops it. */
  abort(draft: Draft): void;
  onTrouble(error: unknown): void;
}

/** Longest address, without its NUL (qmail's interface). */
const longestAddress = 1002;
const mostDrafts = 1000;

interface Writing {
  readonly draft: Draft;
  readonly qp: number;
}

export class Intake {
  readonly #store: Store;
  readonly #writing = new Map<number, Writing>();
  /** Ids whose writing failed: the rest of them is ignored, `close` answers the code. */
  readonly #failed = new Map<number, number>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Carries out one request; the reply is for `message` and `close`, others have none. */
  take(request: QueueRequest): Promise<QueueReply> | undefined {
    switch (request.op) {
      case "message":
        return this.#accept(request.envelope, request.content);
      case "open": {
        this.#drop(request.id);
        const begun = this.#writing.size < mostDrafts ? this.#begin(request.origin, request.uid) : exitCode.temporary;
        if (typeof begun === "number") this.#failed.set(request.id, begun);
        else this.#writing.set(request.id, begun);
        return undefined;
      }
      case "data":
        this.#write(request.id, request.content);
        return undefined;
      case "close": {
        const writing = this.#writing.get(request.id);
        const code = this.#failed.get(request.id) ?? exitCode.bug;
        this.#forget(request.id);
        return writing === undefined ? Promise.resolve({ code, qp: 0 }) : this.#commit(writing, request.envelope);
      }
      case "abort":
        this.#drop(request.id);
        return undefined;
    }
  }

  /** The connection ended: what was not closed is dropped. */
  end(): void {
    for (const writing of this.#writing.values()) this.#store.abort(writing.draft);
    this.#writing.clear();
    this.#failed.clear();
  }

  #drop(id: number): void {
    const writing = this.#writing.get(id);
    this.#forget(id);
    if (writing !== undefined) this.#store.abort(writing.draft);
  }

  #forget(id: number): void {
    this.#writing.delete(id);
    this.#failed.delete(id);
  }

  async #accept(envelope: EnvelopeFields, content: Uint8Array): Promise<QueueReply> {
    if (hasLongAddress(envelope)) return { code: exitCode.addressTooLong, qp: 0 };
    try {
      return { code: exitCode.queued, qp: await this.#store.accept(envelope, content) };
    } catch (error) {
      this.#store.onTrouble(error);
      return { code: codeOf(error, exitCode.writeError), qp: 0 };
    }
  }

  #begin(origin: Origin, uid: number): Writing | number {
    try {
      return this.#store.begin(origin, uid);
    } catch (error) {
      this.#store.onTrouble(error);
      return codeOf(error, exitCode.queueFiles);
    }
  }

  #write(id: number, content: Uint8Array): void {
    const writing = this.#writing.get(id);
    if (writing === undefined) return;
    try {
      this.#store.write(writing.draft, content);
    } catch (error) {
      this.#store.onTrouble(error);
      this.#store.abort(writing.draft);
      this.#writing.delete(id);
      this.#failed.set(id, codeOf(error, exitCode.writeError));
    }
  }

  async #commit({ draft, qp }: Writing, envelope: EnvelopeFields): Promise<QueueReply> {
    if (hasLongAddress(envelope)) {
      this.#store.abort(draft);
      return { code: exitCode.addressTooLong, qp };
    }
    try {
      await this.#store.commit(draft, qp, envelope);
      return { code: exitCode.queued, qp };
    } catch (error) {
      this.#store.onTrouble(error);
      return { code: codeOf(error, exitCode.writeError), qp };
    }
  }
}

function hasLongAddress({ sender, recipients }: EnvelopeFields): boolean {
  return sender.length > longestAddress || recipients.some((recipient) => recipient.length > longestAddress);
}

/** A full disk has a code of its own, whichever call met it first. */
function codeOf(error: unknown, otherwise: number): number {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return code === "ENOSPC" || code === "EDQUOT" ? exitCode.writeError : otherwise;
}
