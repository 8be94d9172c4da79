/**
 * One message on its way from a QMTP or QMQP client into the queue, before anybody knows whom it is for: its octets and
 * hops are counted and its text is passed on as it comes. A message that is lost anyway is dropped as soon as that is
 * known, and read to its end all the same, so that the next one is found.
 * @module
 */
import { exitCode } from "../queue/exit_code.ts";
import type { SubmittedEnvelope } from "../queue/submission.ts";
import { HopCounter, maxHops } from "../smtp/hop_count.ts";
import type { IntoQueue } from "../smtp/incoming_message.ts";
import { concat } from "../wire/frame.ts";
import type { QueueReply } from "../wire/queue_protocol.ts";
import type { TextEnd, TextFault } from "./answers.ts";

/**
 * Text is passed on in pieces of at least this many octets (the last one apart): a client that sends each octet in a packet
 * of its own would else cost a hundred times the memory of what it sends.
 */
const pieceBytes = 4096;

export class ArrivingMessage {
  readonly #submission: IntoQueue;
  readonly #databytes: number;
  readonly #hops = new HopCounter();
  #bytes = 0;
  #small: Uint8Array[] = [];
  #smallBytes = 0;
  #fault: TextFault | undefined;
  #dropped = false;

  /** `top`: the fields to go in front. `databytes`: most octets of text with LF line ends; 0 means no limit. */
  constructor(submission: IntoQueue, top: Uint8Array, databytes: number) {
    this.#submission = submission;
    this.#databytes = databytes;
    void submission.write(top); // far below what a submission keeps to itself
  }

  /** Octets of text so far. */
  get bytes(): number {
    return this.#bytes;
  }

  get fault(): TextFault | undefined {
    return this.#fault;
  }

  /** Takes text, which must not change afterwards; not again before what it answers has settled. */
  push(octets: Uint8Array): Promise<void> | undefined {
    this.#bytes += octets.length;
    this.#hops.push(octets);
    if (this.#hops.count >= maxHops) this.#fault = "hops";
    else if (this.#databytes > 0 && this.#bytes > this.#databytes) this.#fault ??= "size";
    if (this.#fault !== undefined) {
      this.abort();
      return undefined;
    }
    if (octets.length > 0) this.#small.push(octets);
    this.#smallBytes += octets.length;
    return this.#smallBytes < pieceBytes ? undefined : this.#pass();
  }

  /** Queues it for these recipients. `now` is the Unix time in ms. */
  async end(envelope: SubmittedEnvelope, now: () => number): Promise<TextEnd> {
    if (this.#fault !== undefined) return { kind: "fault", fault: this.#fault };
    await this.#pass();
    const reply = await this.#commit(envelope);
    return { kind: "queue", ...reply, unixSeconds: Math.floor(now() / 1000) };
  }

  /** Leaves nothing of it in the queue; does nothing once its end was called. */
  abort(): void {
    this.#small = [];
    if (this.#dropped) return;
    this.#dropped = true;
    this.#submission.abort();
  }

  async #commit(envelope: SubmittedEnvelope): Promise<QueueReply> {
    // Its client has gone meanwhile, and will send it again.
    if (this.#dropped) return { code: exitCode.connectionLost, qp: 0 };
    this.#dropped = true;
    return await this.#submission.commit(envelope);
  }

  #pass(): Promise<void> | undefined {
    const piece = this.#small.length === 1 ? this.#small[0]! : concat(this.#small, this.#smallBytes);
    this.#small = [];
    this.#smallBytes = 0;
    return this.#submission.write(piece);
  }
}
