/**
 * Tells tlsrpt how connections went. Nobody waits for it: while it is away some notes are kept, and more are lost; the
 * counts of a day are worth no delay of mail.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import { Client } from "./client.ts";
import { mayCall } from "./may_call.ts";
import { longestString, mostStrings, type TlsrptNote } from "./tlsrpt_protocol.ts";

/** A restart takes some 100 ms. */
const connectMs = 2000;
const mostKept = 1000;

/** One connection to the socket `tlsrpt`, made when first needed and made again after a restart. */
export class TlsrptClient {
  readonly #client: Client;
  readonly #isOn: boolean;
  #kept: TlsrptNote[] = [];
  #passing = false;

  constructor(home: Home) {
    this.#client = new Client(home.socket("tlsrpt"), { connectMs });
    // Who may not connect there runs where control/tlsrpt is 0.
    this.#isOn = mayCall(home, "tlsrpt");
  }

  /** Whether anybody counts: else there is no need to find out what a note would say. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** Returns at once; does nothing where control/tlsrpt is 0. */
  note(note: TlsrptNote): void {
    if (!this.#isOn) return;
    const { pipe } = this.#client;
    if (pipe !== undefined && this.#kept.length === 0) return pipe.send(frameOf(note));
    if (this.#kept.length < mostKept) this.#kept.push(note);
    if (!this.#passing) void this.#passOn();
  }

  async #passOn(): Promise<void> {
    this.#passing = true;
    const pipe = await this.#client.connect().catch(() => undefined);
    const kept = this.#kept;
    this.#kept = [];
    for (const note of kept) pipe?.send(frameOf(note));
    this.#passing = false;
  }

  close(): void {
    this.#client.close();
  }
}

function frameOf(note: TlsrptNote): object {
  const policyStrings = note.policyStrings.slice(0, mostStrings).map((line) => line.slice(0, longestString));
  return { op: "note", ...note, policyStrings };
}
