/**
 * One message between DATA and its reply: the octets go through {@link Content} to qmail-queue as they come; at the end
 * qmail-queue gets the envelope and says what became of it. A message that is lost anyway is dropped as soon as that is known.
 * @module
 */
import type { Envelope } from "../queue/envelope.ts";
import type { Submission } from "../queue/submission.ts";
import { Content } from "./content.ts";
import type { ContentEnd } from "./server_session.ts";

/** A message's way into the queue: the daemon's, or one that is like it. */
export type IntoQueue = Pick<Submission, "write" | "commit" | "abort">;

/** What one chunk gave. */
export interface Taken {
  /** Whether the end of the content has been seen; `rest` stands behind it. */
  readonly done: boolean;
  readonly rest: Uint8Array;
  /** Settles when qmail-queue can take more; undefined: at once. */
  readonly room: Promise<void> | undefined;
}

export class IncomingMessage {
  readonly envelope: Envelope;
  readonly #submission: IntoQueue;
  readonly #content: Content;

  /** `received` is the field to go in front. */
  constructor(envelope: Envelope, received: Uint8Array, submission: IntoQueue, databytes: number) {
    this.envelope = envelope;
    this.#submission = submission;
    this.#content = new Content(databytes);
    void submission.write(received); // far below what a submission keeps to itself
  }

  /** Octets of content so far, decoded. */
  get bytes(): number {
    return this.#content.bytes;
  }

  /** Not again before `room` has settled. */
  push(chunk: Uint8Array): Taken {
    const faultless = this.#content.fault === undefined;
    const { output, done, rest } = this.#content.push(chunk);
    if (this.#content.fault === undefined) return { done, rest, room: this.#submission.write(output) };
    if (faultless) this.#submission.abort();
    return { done, rest, room: undefined };
  }

  /** Once the end has been seen: what became of it, at once where the content decides that. `now` is the Unix time in ms. */
  end(now: () => number): ContentEnd | Promise<ContentEnd> {
    const { fault } = this.#content;
    if (fault !== undefined) return { kind: "fault", fault };
    return this.#submission.commit(this.envelope).then(({ code, qp }) => ({
      kind: "queue",
      code,
      qp,
      unixSeconds: Math.floor(now() / 1000),
    }));
  }

  /** Leaves nothing of it in the queue. */
  abort(): void {
    if (this.#content.fault === undefined) this.#submission.abort();
  }
}
