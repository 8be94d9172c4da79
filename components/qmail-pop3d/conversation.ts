/**
 * What stands between two frames of one session: the mailbox, and an answer of which there is more. It carries out
 * requests one by one, whatever they came over.
 * @module
 */
import { assertNever } from "../lib/result.ts";
import type { Piece, Pop3Request, Refusal } from "../lib/wire/pop3_protocol.ts";
import { ProtocolError } from "../lib/wire/server.ts";
import type { Session } from "./session.ts";

export type Opened =
  | { readonly kind: "opened"; readonly session: Session; readonly login: string }
  | { readonly kind: "elsewhere" }
  | { readonly kind: "refused"; readonly reason: Refusal };

/** A frame, but for what it answers. */
export interface Reply {
  readonly head: object;
  readonly body?: Uint8Array;
}

export class Conversation {
  #hasBegun = false;
  #session: Session | undefined;
  #answer: AsyncGenerator<Piece, void, undefined> | undefined;

  /** Throws ProtocolError where it is not the first request. */
  async open(opening: () => Promise<Opened>): Promise<Reply> {
    if (this.#hasBegun) throw new ProtocolError("a second mailbox in one session");
    this.#hasBegun = true;
    const opened = await opening();
    switch (opened.kind) {
      case "opened":
        this.#session = opened.session;
        return { head: { kind: "opened", count: opened.session.count, bytes: opened.session.remainingBytes } };
      case "elsewhere":
      case "refused":
        return { head: opened };
      default:
        return assertNever(opened);
    }
  }

  /** Throws ProtocolError for one out of turn, and what the disk says where a file breaks off. */
  async answer(request: Exclude<Pop3Request, { op: "open" }>): Promise<Reply> {
    if (this.#session === undefined) throw new ProtocolError("a command without a mailbox");
    if (request.op === "command") {
      if (this.#answer !== undefined) throw new ProtocolError("a command before the last one was answered");
      this.#answer = this.#session.answer(request.line);
    } else if (this.#answer === undefined) {
      throw new ProtocolError("more of no answer");
    }
    const next = await this.#answer.next();
    if (next.done === true) throw new Error("an answer without an end");
    const { octets, last, ends } = next.value;
    // What the generator holds open is closed with it.
    if (last) await this.end();
    return { head: { kind: "piece", last, ends }, body: octets };
  }

  /** Lets go of what an answer holds open. */
  async end(): Promise<void> {
    const answer = this.#answer;
    this.#answer = undefined;
    await answer?.return();
  }
}
