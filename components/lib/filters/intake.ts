/**
 * What a filter does with each request of one connection: which messages it holds under which id, which go by since they
 * are too large to be held, and what each one ends with. A message that nobody waits for any more is dropped.
 * @module
 */
import { exitCode } from "../queue/exit_code.ts";
import { assertNever } from "../result.ts";
import { concat } from "../wire/frame.ts";
import type { EnvelopeFields, Origin, QueueReply, QueueRequest } from "../wire/queue_protocol.ts";
import type { FilterMessage, Verdict } from "./filter.ts";
import type { Leaving } from "./leaving.ts";
import type { Room } from "./room.ts";
import type { Arrived } from "./route.ts";

/** What became of judging; `failed`: it did not come to an end of its own. */
export type Judged = Verdict | { readonly kind: "failed"; readonly reason: string };

/** A message on its way to the next. */
export type Onward = Pick<Leaving, "write" | "commit" | "abort">;

/** What the intake needs of the process around it. */
export interface Surroundings {
  readonly room: Room;
  /** Never rejects. */
  readonly judge: (message: FilterMessage, signal: AbortSignal) => Promise<Judged>;
  /** Begins to hand a message on. */
  readonly leave: (arrived: Arrived, origin: Origin, uid: number) => Onward;
  /** A field that says so, whole. */
  readonly unjudgedField: (reason: string) => Uint8Array;
  readonly onUnjudged: (envelope: EnvelopeFields, reason: string, went: "on" | "back") => void;
  readonly onJudged: (envelope: EnvelopeFields, arrived: Arrived, verdict: Verdict) => void;
}

/** A message that comes in pieces, or is being judged. */
interface Held {
  readonly arrived: Arrived;
  readonly origin: Origin;
  readonly uid: number;
  readonly gone: AbortController;
  pieces: Uint8Array[];
  bytes: number;
  /** It goes by without being held, for this reason. */
  by?: { readonly leaving: Onward; readonly reason: string };
  /** It cannot be taken, for this reason: the rest of it is ignored. */
  refused?: { readonly reply: QueueReply; readonly reason: string };
}

/** Messages of one connection that are not done. */
const mostHeld = 1000;

const tooLarge: QueueReply = {
  code: exitCode.refused,
  qp: 0,
  text: "Dsorry, that message is too large to be checked here (#5.3.4)",
};
const temporary: QueueReply = { code: exitCode.temporary, qp: 0 };

export class FilterIntake {
  readonly #around: Surroundings;
  readonly #coming = new Map<number, Held>();
  readonly #judging = new Set<Held>();

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /**
   * Carries out one request; `arrived` is of `message` and `open`. No further one is to be taken before `room` has
   * settled. `reply` is for `message` and `close`, and never rejects.
   */
  take(
    request: QueueRequest,
    arrived: Arrived | undefined,
  ): { readonly room?: Promise<void> | undefined; readonly reply?: Promise<QueueReply> } {
    switch (request.op) {
      case "message": {
        const { envelope, content } = request;
        const held = newHeld(arrived!, envelope.origin, envelope.uid);
        const room = this.#add(held, content);
        const close = () => this.#close(held, envelope);
        return { reply: room === undefined ? close() : room.then(close) };
      }
      case "open": {
        this.#drop(request.id);
        const held = newHeld(arrived!, request.origin, request.uid);
        if (this.#coming.size + this.#judging.size >= mostHeld) held.refused = { reply: temporary, reason: "too many" };
        this.#coming.set(request.id, held);
        return {};
      }
      case "data": {
        const held = this.#coming.get(request.id);
        return held === undefined ? {} : { room: this.#add(held, request.content) };
      }
      case "close": {
        const held = this.#coming.get(request.id);
        this.#coming.delete(request.id);
        return {
          reply: held === undefined
            ? Promise.resolve({ code: exitCode.bug, qp: 0 })
            : this.#close(held, request.envelope),
        };
      }
      case "abort":
        this.#drop(request.id);
        return {};
      default:
        return assertNever(request);
    }
  }

  /** The connection ended: nobody waits for anything any more. */
  end(): void {
    for (const id of [...this.#coming.keys()]) this.#drop(id);
    for (const held of this.#judging) held.gone.abort();
  }

  #drop(id: number): void {
    const held = this.#coming.get(id);
    if (held === undefined) return;
    this.#coming.delete(id);
    held.gone.abort();
    held.by?.leaving.abort();
    this.#forget(held);
  }

  #forget(held: Held): void {
    this.#around.room.give(held.bytes);
    held.pieces = [];
    held.bytes = 0;
  }

  #add(held: Held, content: Uint8Array): Promise<void> | undefined {
    if (held.refused !== undefined || content.length === 0) return undefined;
    if (held.by !== undefined) return held.by.leaving.write(content);
    const { largestBytes, large, onTrouble } = held.arrived;
    if (held.bytes + content.length > largestBytes) {
      if (large === "pass") return this.#letBy(held, "too large", content);
      return this.#refuse(held, tooLarge, "too large");
    }
    if (this.#around.room.take(content.length)) {
      held.pieces.push(content);
      held.bytes += content.length;
      return undefined;
    }
    if (onTrouble === "pass") return this.#letBy(held, "no room", content);
    return this.#refuse(held, temporary, "no room");
  }

  #refuse(held: Held, reply: QueueReply, reason: string): undefined {
    this.#forget(held);
    held.refused = { reply, reason };
    return undefined;
  }

  async #letBy(held: Held, reason: string, content: Uint8Array): Promise<void> {
    const leaving = this.#around.leave(held.arrived, held.origin, held.uid);
    held.by = { leaving, reason };
    const pieces = held.pieces;
    for (const piece of [this.#around.unjudgedField(reason), ...pieces, content]) await leaving.write(piece);
    this.#forget(held);
  }

  async #close(held: Held, envelope: EnvelopeFields): Promise<QueueReply> {
    const { by, refused } = held;
    if (refused !== undefined) {
      this.#around.onUnjudged(envelope, refused.reason, "back");
      return refused.reply;
    }
    if (by !== undefined) {
      this.#around.onUnjudged(envelope, by.reason, "on");
      return await by.leaving.commit(envelope, {});
    }
    this.#judging.add(held);
    try {
      return await this.#judge(held, envelope);
    } finally {
      this.#judging.delete(held);
      this.#forget(held);
    }
  }

  async #judge(held: Held, envelope: EnvelopeFields): Promise<QueueReply> {
    const { arrived, gone } = held;
    const content = this.#whole(held);
    if (content === undefined) return await this.#withoutJudgement(held, envelope, "no room", held.pieces);
    const { sender, recipients, origin } = envelope;
    const message = { client: arrived.client, origin, sender, recipients, content };
    const verdict = await this.#around.judge(message, gone.signal);
    if (gone.signal.aborted) return temporary;
    switch (verdict.kind) {
      case "pass":
        this.#around.onJudged(envelope, arrived, verdict);
        if (verdict.recipients?.length === 0) return { code: exitCode.queued, qp: 0 };
        return await this.#handOn(held, envelope, verdict, [verdict.content ?? content]);
      case "refuse":
        this.#around.onJudged(envelope, arrived, verdict);
        return refusal(verdict);
      case "discard":
        this.#around.onJudged(envelope, arrived, verdict);
        return { code: exitCode.queued, qp: 0 };
      case "failed":
        return await this.#withoutJudgement(held, envelope, verdict.reason, [content]);
      default:
        return assertNever(verdict);
    }
  }

  /** The content in one piece; both it and the pieces are there for a moment. undefined: there is no room for that. */
  #whole(held: Held): Uint8Array | undefined {
    const { pieces, bytes } = held;
    if (pieces.length === 1) return pieces[0]!;
    if (!this.#around.room.take(bytes)) return undefined;
    held.pieces = [concat(pieces, bytes)];
    this.#around.room.give(bytes);
    return held.pieces[0];
  }

  async #withoutJudgement(
    held: Held,
    envelope: EnvelopeFields,
    reason: string,
    pieces: readonly Uint8Array[],
  ): Promise<QueueReply> {
    const passes = held.arrived.onTrouble === "pass";
    this.#around.onUnjudged(envelope, reason, passes ? "on" : "back");
    if (!passes) return temporary;
    return await this.#handOn(held, envelope, { kind: "pass", header: this.#around.unjudgedField(reason) }, pieces);
  }

  async #handOn(
    { arrived, origin, uid, gone }: Held,
    envelope: EnvelopeFields,
    verdict: Verdict & { readonly kind: "pass" },
    pieces: readonly Uint8Array[],
  ): Promise<QueueReply> {
    const leaving = this.#around.leave(arrived, origin, uid);
    for (const piece of [verdict.header ?? nothing, ...pieces]) await leaving.write(piece);
    if (gone.signal.aborted) {
      leaving.abort();
      return temporary;
    }
    return await leaving.commit(envelope, verdict);
  }
}

const nothing = new Uint8Array(0);

function newHeld(arrived: Arrived, origin: Origin, uid: number): Held {
  return { arrived, origin, uid, gone: new AbortController(), pieces: [], bytes: 0 };
}

/** Octets of what a client is told, at the most (queue_protocol.ts). */
const longestText = 255;

/** Nothing a judge says can be taken for an acceptance, or end a line of the dialogue. */
function refusal({ code, text }: Verdict & { readonly kind: "refuse" }): QueueReply {
  const known = Number.isInteger(code) && code > 0 && code < 256 ? code : exitCode.temporary;
  const isText = /^[DZ]./s.test(text) && text.length <= longestText;
  return { code: known, qp: 0, ...(isText ? { text: text.replace(/[^\x20-\x7e]/g, "?") } : {}) };
}
