/**
 * The spawner's end of a delivering process: requests go out with the message's first piece, further pieces when they
 * are asked for, reports come back in any order. A `needs` from the other end is passed on (needs.ts).
 * @module
 */
import { ConnectionLost } from "../wire/client.ts";
import { type DeliveryReport, parseSpawnReply } from "../wire/delivery_protocol.ts";
import * as field from "../wire/fields.ts";
import type { Frame } from "../wire/frame.ts";
import { tellNeed } from "../wire/needs.ts";
import type { Pipe } from "../wire/pipe.ts";
import { ProtocolError } from "../wire/server.ts";
import type { MessageText } from "./message_file.ts";

interface UnderWay {
  readonly file: MessageText;
  readonly recipients: number;
  readonly resolve: (reports: readonly DeliveryReport[]) => void;
  readonly reject: (error: Error) => void;
}

export class DeliveryLink {
  readonly #pipe: Pipe;
  readonly #underWay = new Map<number, UnderWay>();
  #nextId = 1;
  /** Settles when the other process is gone. */
  readonly ended: Promise<void>;

  constructor(pipe: Pipe, onError: (error: unknown) => void) {
    this.#pipe = pipe;
    this.ended = this.#readAll(onError);
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  get closed(): boolean {
    return this.#pipe.closed;
  }

  /**
   * Has `file` delivered; `fields` are those of the protocol but for id and size. One report a recipient.
   * Throws ConnectionLost when the process ends first.
   */
  deliver<F extends { readonly recipients: readonly string[] }>(
    fields: F,
    file: MessageText,
  ): Promise<readonly DeliveryReport[]> {
    if (this.#pipe.closed) return Promise.reject(new ConnectionLost("the delivering process is gone"));
    const id = this.#nextId++;
    const first = file.read(0);
    return new Promise((resolve, reject) => {
      this.#underWay.set(id, { file, recipients: fields.recipients.length, resolve, reject });
      this.#pipe.send({ ...fields, op: "deliver", id, sizeBytes: file.sizeBytes }, first);
    });
  }

  close(): void {
    this.#pipe.close();
  }

  async #readAll(onError: (error: unknown) => void): Promise<void> {
    try {
      await this.#pipe.each((frame) => this.#take(frame));
    } catch (error) {
      onError(error);
    } finally {
      this.#pipe.close();
      const lost = [...this.#underWay.values()];
      this.#underWay.clear();
      for (const delivery of lost) delivery.reject(new ConnectionLost("the delivering process ended"));
    }
  }

  #take(frame: Frame): void {
    const op = field.oneOf(frame.head, "op", ["read", "report", "needs"]);
    if (op === "needs") return tellNeed(field.text(frame.head, "socket"));
    const id = field.wholeNumber(frame.head, op === "read" ? "delivery" : "id");
    const delivery = this.#underWay.get(id);
    if (delivery === undefined) throw new ProtocolError(`no delivery ${id} is under way`);
    if (op === "read") {
      const offset = field.wholeNumber(frame.head, "offset");
      this.#pipe.send({ op: "piece", delivery: id }, delivery.file.read(offset));
      return;
    }
    const reply = parseSpawnReply(frame, delivery.recipients);
    this.#underWay.delete(id);
    delivery.resolve(reply.reports);
  }
}
