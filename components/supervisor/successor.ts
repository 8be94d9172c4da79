/**
 * The other side of predecessor.ts: a supervisor that hands everything over to another one, or takes it back.
 * @module
 */
import { logEvent } from "../lib/log/log.ts";
import { tell } from "../lib/process/component.ts";
import * as field from "../lib/wire/fields.ts";
import type { Frame } from "../lib/wire/frame.ts";
import type { Pipe } from "../lib/wire/pipe.ts";
import { handOverProtocol } from "./predecessor.ts";

/** What is handed over. */
export interface HandedOver {
  /** Ends a process, if there is one of that name; settles when a successor may begin. */
  retire(component: string): Promise<void>;
  /** Takes everything back; settles when it is ready. */
  resume(): Promise<void>;
  /** Goes, once those that are still on their way out have gone. */
  leave(): void;
}

/** How long whoever started this one may take to start a successor, and that one to say so. */
const firstWordMs = 30_000;

export const handOverOps = ["upgrade", "take-over", "retire", "taken", "resume"] as const;
export type HandOverOp = (typeof handOverOps)[number];

export class Successor {
  readonly #own: HandedOver;
  #asking: { readonly id: number; readonly pipe: Pipe } | undefined;
  #pipe: Pipe | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(own: HandedOver) {
    this.#own = own;
  }

  /** Whether one is wanted, or at work. */
  get underWay(): boolean {
    return this.#asking !== undefined;
  }

  async onFrame(op: HandOverOp, { head }: Frame, pipe: Pipe): Promise<void> {
    const id = field.wholeNumber(head, "id");
    if (op === "upgrade") return this.#begin(id, pipe, field.wholeNumber(head, "protocol"));
    if (op === "take-over") {
      const isWanted = this.#asking !== undefined && this.#pipe === undefined;
      if (isWanted) {
        clearTimeout(this.#timer);
        this.#pipe = pipe;
      }
      return pipe.send({ id, ready: isWanted && field.wholeNumber(head, "protocol") === handOverProtocol });
    }
    // Of anybody else it is not asked.
    if (pipe !== this.#pipe) return pipe.close();
    switch (op) {
      case "retire":
        await this.#own.retire(field.text(head, "component", 100));
        return pipe.send({ id });
      case "resume":
        await this.#resume(field.text(head, "reason"));
        return pipe.send({ id });
      case "taken":
        this.#pipe = undefined;
        this.#answer([]);
        pipe.send({ id });
        await pipe.flushed();
        return this.#own.leave();
    }
  }

  #begin(id: number, pipe: Pipe, protocol: number): void {
    if (this.underWay) return pipe.send({ id, defects: ["another upgrade is under way"] });
    if (protocol !== handOverProtocol) {
      return pipe.send({ id, defects: [`it hands over by protocol ${handOverProtocol}, not ${protocol}`] });
    }
    logEvent("hand-over", {});
    this.#asking = { id, pipe };
    const none = "no successor came within 30 s: the log may say why (deno task start would have started it)";
    this.#timer = setTimeout(() => this.#answer([none]), firstWordMs);
    tell({ event: "successor" });
  }

  /** A connection is gone: without its last word the successor has failed. */
  onClose(pipe: Pipe): void {
    if (pipe === this.#pipe) void this.#resume("the successor ended");
  }

  async #resume(reason: string): Promise<void> {
    this.#pipe = undefined;
    logEvent("resumed", { reason });
    await this.#own.resume();
    this.#answer([reason]);
  }

  #answer(defects: readonly string[]): void {
    clearTimeout(this.#timer);
    const asking = this.#asking;
    this.#asking = undefined;
    asking?.pipe.send({ id: asking.id, defects });
  }
}
