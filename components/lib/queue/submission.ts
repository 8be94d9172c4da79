/**
 * Handing a message to qmail-queue: content in pieces, then the envelope. Small content is kept until the end and leaves
 * as one frame; content that grows beyond that is passed on as it comes, so that nobody holds a large message.
 * @module
 */
import { type Client, ConnectionLost } from "../wire/client.ts";
import type { Pipe } from "../wire/pipe.ts";
import {
  dataBytes,
  type EnvelopeFields,
  longestOptions,
  type Origin,
  parseQueueReply,
  type QueueReply,
  smallMessageBytes,
} from "../wire/queue_protocol.ts";
import type { Envelope } from "./envelope.ts";
import { exitCode } from "./exit_code.ts";
import { formatMessageOptions, type MessageOptions, saysSomething } from "./message_options.ts";

/** An envelope, and what the client asked for beside it. */
export interface SubmittedEnvelope extends Envelope {
  readonly options?: MessageOptions;
}

/** One message on its way in. Call {@link write} any number of times, then {@link commit} or {@link abort}. */
export class Submission {
  readonly #client: Client;
  readonly #origin: Origin;
  readonly #uid: number;
  readonly #route: object;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #stream: { readonly pipe: Pipe; readonly id: number } | undefined;
  #lost = false;

  /** `route`: further fields of its first frame, for filters (lib/filters/route.ts); qmail-queue does not look at them. */
  constructor(client: Client, origin: Origin, uid: number, route: object = {}) {
    this.#client = client;
    this.#origin = origin;
    this.#uid = uid;
    this.#route = route;
  }

  /** Adds content; `chunk` must not change afterwards. Settles when more may follow. Never throws: commit tells. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#lost || chunk.length === 0) return undefined;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#stream === undefined && this.#bytes <= smallMessageBytes) return undefined;
    if (this.#stream !== undefined && this.#bytes < dataBytes) return undefined;
    return this.#passOn();
  }

  /**
   * Queues it, with what its client asked for. 0 means it is on stable storage; other codes as qmail-queue's; a lost
   * connection is code 74. More than {@link longestOptions} octets of options are refused with code 31.
   */
  async commit({ options, ...envelope }: SubmittedEnvelope): Promise<QueueReply> {
    const asked = options !== undefined && saysSomething(options)
      ? { options: formatMessageOptions(options, envelope.recipients) }
      : undefined;
    if (asked !== undefined && asked.options.length > longestOptions) {
      this.abort();
      return { code: exitCode.refused, qp: 0 };
    }
    const fields: EnvelopeFields = { ...envelope, ...asked, origin: this.#origin, uid: this.#uid };
    try {
      if (this.#lost) throw new ConnectionLost("qmail-queue is away");
      if (this.#stream === undefined) {
        return parseQueueReply(await this.#client.request({ op: "message", ...fields, ...this.#route }, this.#chunks));
      }
      await this.#passOn();
      return parseQueueReply(
        await this.#client.requestOn(this.#stream.pipe, this.#stream.id, { op: "close", ...fields }),
      );
    } catch (error) {
      if (error instanceof ConnectionLost) return { code: exitCode.connectionLost, qp: 0 };
      throw error;
    }
  }

  /** Drops it: nothing of it stays in the queue. */
  abort(): void {
    this.#stream?.pipe.send({ op: "abort", id: this.#stream.id });
    this.#chunks = [];
    this.#lost = true;
  }

  async #passOn(): Promise<void> {
    if (this.#stream === undefined) {
      const pipe = await this.#client.connect();
      // Aborted meanwhile: opening it now would leave qmail-queue with a message nobody ends.
      if (this.#lost) return;
      if (pipe === undefined) {
        this.#giveUp();
        return;
      }
      this.#stream = { pipe, id: this.#client.newId() };
      pipe.send({ op: "open", id: this.#stream.id, origin: this.#origin, uid: this.#uid, ...this.#route });
    }
    const { pipe, id } = this.#stream;
    for (const chunk of this.#chunks) {
      for (let at = 0; at < chunk.length; at += dataBytes) {
        pipe.send({ op: "data", id }, [chunk.subarray(at, at + dataBytes)]);
      }
    }
    this.#chunks = [];
    this.#bytes = 0;
    await pipe.drained();
    if (pipe.closed) this.#giveUp();
  }

  #giveUp(): void {
    this.#lost = true;
    this.#chunks = [];
    this.#bytes = 0;
  }
}
