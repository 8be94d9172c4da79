/**
 * One message between DATA, or the first BDAT, and the reply to all of it: the octets go through {@link Content} to
 * qmail-queue as they come; at the end qmail-queue gets the envelope and says what became of it. A message that is lost
 * anyway is dropped as soon as that is known.
 * @module
 */
import type { Completion } from "../message/complete_submission.ts";
import type { Submission, SubmittedEnvelope } from "../queue/submission.ts";
import { Content, type Fault, type Framing } from "./content.ts";
import type { ContentEnd } from "./server_session.ts";

/** A message's way into the queue: the daemon's, or one that is like it. */
export type IntoQueue = Pick<Submission, "write" | "commit" | "abort">;

export interface IncomingOptions {
  /** `dots` unless given. */
  readonly framing?: Framing;
  /** Puts in what a submitted message lacks. */
  readonly completion?: Completion | undefined;
}

/** What one chunk gave. */
export interface Taken {
  /** Whether the end of the content has been seen; `rest` stands behind it. */
  readonly done: boolean;
  readonly rest: Uint8Array;
  /** Settles when qmail-queue can take more; undefined: at once. */
  readonly room: Promise<void> | undefined;
}

export class IncomingMessage {
  readonly envelope: SubmittedEnvelope;
  readonly #submission: IntoQueue;
  readonly #content: Content;
  readonly #completion: Completion | undefined;
  #dropped = false;

  /** `top`: the fields to go in front. */
  constructor(
    envelope: SubmittedEnvelope,
    top: Uint8Array,
    submission: IntoQueue,
    databytes: number,
    { framing = "dots", completion }: IncomingOptions = {},
  ) {
    this.envelope = envelope;
    this.#submission = submission;
    this.#content = new Content(databytes, framing);
    this.#completion = completion;
    void submission.write(top); // far below what a submission keeps to itself
  }

  /** Octets of content so far, decoded. */
  get bytes(): number {
    return this.#content.bytes;
  }

  /** What is wrong with it, as far as is known. */
  get fault(): Fault | undefined {
    return this.#content.fault;
  }

  /** Not again before `room` has settled. */
  push(chunk: Uint8Array): Taken {
    const { output, done, rest } = this.#content.push(chunk);
    return { done, rest, room: this.#pass(output) };
  }

  /** Once the end has been seen: what became of it, at once where the content decides that. `now` is the Unix time in ms. */
  end(now: () => number): ContentEnd | Promise<ContentEnd> {
    const last = this.#content.end();
    const { fault } = this.#content;
    if (fault !== undefined) {
      this.abort();
      return { kind: "fault", fault };
    }
    const room = this.#submission.write(this.#completion === undefined ? last : this.#completion.end(last));
    const commit = () => this.#submission.commit(this.envelope);
    return (room === undefined ? commit() : room.then(commit)).then((reply) => ({
      kind: "queue",
      ...reply,
      unixSeconds: Math.floor(now() / 1000),
    }));
  }

  /** Leaves nothing of it in the queue. */
  abort(): void {
    if (this.#dropped) return;
    this.#dropped = true;
    this.#submission.abort();
  }

  #pass(output: Uint8Array): Promise<void> | undefined {
    if (this.#content.fault !== undefined) {
      this.abort();
      return undefined;
    }
    return this.#submission.write(this.#completion === undefined ? output : this.#completion.push(output));
  }
}
