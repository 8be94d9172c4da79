/**
 * The delivering process's end (qmail-local over its standard streams, qmail-remote over a socket): takes requests,
 * hands each with its message to `deliver`, sends the reports.
 * @module
 */
import { type DeliverFields, type DeliveryReport, formatSpawnReply } from "../wire/delivery_protocol.ts";
import { Rests } from "../process/rests.ts";
import * as field from "../wire/fields.ts";
import type { Frame } from "../wire/frame.ts";
import type { Pipe } from "../wire/pipe.ts";
import { ProtocolError } from "../wire/server.ts";
import { MessageBody } from "./message_body.ts";

/** Carries out one request: one report a recipient. What it throws becomes a deferral of all of them. */
export type Deliver<R extends DeliverFields> = (request: R, body: MessageBody) => Promise<readonly DeliveryReport[]>;

/**
 * After a report comes a rest: those that are ready meanwhile leave together, and the spawner, qmail-send and qmail-queue
 * wake once for all of them. Of seldom ones none waits.
 */
const defaultRestMs = 2;

export interface DelivererOptions {
  readonly restMs?: number;
}

interface Fetching {
  readonly resolve: (piece: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** One spawner's connection. Feed it frames with {@link take}; {@link end} when the connection is gone. */
export class Deliverer<R extends DeliverFields> {
  readonly #pipe: Pipe;
  readonly #parse: (frame: Frame) => R;
  readonly #deliver: Deliver<R>;
  readonly #onSurprise: (error: unknown) => void;
  readonly #fetching = new Map<number, Fetching>();
  readonly #running = new Set<Promise<void>>();
  readonly #reporting: Rests;
  #ready: object[] = [];

  constructor(
    pipe: Pipe,
    parse: (frame: Frame) => R,
    deliver: Deliver<R>,
    onSurprise: (error: unknown) => void,
    { restMs = defaultRestMs }: DelivererOptions = {},
  ) {
    this.#reporting = new Rests(restMs, () => this.#sendReady());
    this.#pipe = pipe;
    this.#parse = parse;
    this.#deliver = deliver;
    this.#onSurprise = onSurprise;
  }

  /** Throws ProtocolError. */
  take(frame: Frame): void {
    if (frame.head["op"] === "piece") {
      const id = field.wholeNumber(frame.head, "delivery");
      const fetching = this.#fetching.get(id);
      if (fetching === undefined) throw new ProtocolError(`nobody asked for a piece of delivery ${id}`);
      this.#fetching.delete(id);
      fetching.resolve(frame.body);
      return;
    }
    const running = this.#run(this.#parse(frame), frame.body).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** No more pieces will come: what waits for one fails. */
  end(): void {
    for (const fetching of this.#fetching.values()) fetching.reject(new Error("the spawner is gone"));
    this.#fetching.clear();
  }

  /** Settles when every delivery under way has reported. */
  async finished(): Promise<void> {
    await Promise.all(this.#running);
    this.#reporting.now();
    await this.#pipe.flushed();
  }

  async #run(request: R, first: Uint8Array): Promise<void> {
    const body = new MessageBody(request.sizeBytes, first, (offset) => this.#fetch(request.id, offset));
    let reports: readonly DeliveryReport[];
    try {
      reports = await this.#deliver(request, body);
    } catch (error) {
      this.#onSurprise(error);
      // Whatever our own machinery did wrong, the mail is not to blame: try again later.
      const deferral: DeliveryReport = { verdict: "Z", text: "Internal trouble while delivering. (#4.3.0)\n" };
      reports = request.recipients.map(() => deferral);
    }
    this.#ready.push({ op: "report", id: request.id, ...formatSpawnReply({ lost: false, reports }) });
    this.#reporting.ask();
  }

  #sendReady(): void {
    const ready = this.#ready;
    this.#ready = [];
    for (const report of ready) this.#pipe.send(report);
  }

  #fetch(id: number, offset: number): Promise<Uint8Array> {
    if (this.#pipe.closed) return Promise.reject(new Error("the spawner is gone"));
    return new Promise((resolve, reject) => {
      this.#fetching.set(id, { resolve, reject });
      this.#pipe.send({ op: "read", delivery: id, offset });
    });
  }
}
