/**
 * Asks tally. It never rejects, and while tally is away mail is neither refused nor held up: what tally knows only ever
 * keeps mail out, and to lose some of that for a moment costs less than to refuse everybody.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import { Client } from "./client.ts";
import type { Frame } from "./frame.ts";
import {
  type CountReply,
  type CountRequest,
  type GreylistReply,
  type GreylistRequest,
  parseCountReply,
  parseGreylistReply,
} from "./tally_protocol.ts";

export interface TallyClientOptions {
  /** When an answer that has not come is none; default 2000. */
  readonly timeoutMs?: number;
  /** Told why there was no answer: once, until there has been one again. */
  readonly onTrouble?: (error: unknown) => void;
}

/** Tally answers from memory: later than that it hangs. */
const defaultTimeoutMs = 2000;
/** A restart takes some 100 ms; who is away for longer should not hold up each RCPT for long. */
const connectMs = 500;

type Greylist = Omit<GreylistRequest, "op" | "id">;
type Count = Omit<CountRequest, "op" | "id" | "by"> & { readonly by?: number };

/** One connection to the socket `tally`, made when first needed and made again after a restart. */
export class TallyClient {
  readonly #client: Client;
  readonly #timeoutMs: number;
  readonly #onTrouble: (error: unknown) => void;
  #troubled = false;

  constructor(home: Home, { timeoutMs = defaultTimeoutMs, onTrouble = () => {} }: TallyClientOptions = {}) {
    this.#onTrouble = onTrouble;
    this.#timeoutMs = timeoutMs;
    // What is no frame ends the connection; the request that waits for it tells.
    this.#client = new Client(home.socket("tally"), { connectMs });
  }

  /** Whether a client with this sender and recipient may go on. `unsure`: nobody could say, and it should. */
  async greylist(request: Greylist): Promise<GreylistReply | { readonly kind: "unsure" }> {
    return await this.#ask({ op: "greylist", ...request }, parseGreylistReply) ?? { kind: "unsure" };
  }

  /** Counts `by` (default 1) of `key`, unless it is over its limit. Where nobody counts, all is within. */
  async count(request: Count): Promise<CountReply> {
    return await this.#ask({ op: "count", ...request }, parseCountReply) ?? { kind: "within" };
  }

  async #ask<T>(head: object, parse: (frame: Frame) => T): Promise<T | undefined> {
    try {
      const reply = parse(await this.#client.requestWithin(this.#timeoutMs, head));
      this.#troubled = false;
      return reply;
    } catch (error) {
      if (!this.#troubled) this.#onTrouble(error);
      this.#troubled = true;
      return undefined;
    }
  }

  close(): void {
    this.#client.close();
  }
}
