/**
 * Tells a component that counts. Nobody waits for it: while it is away some notes are kept, and more are lost; the counts of a
 * day are worth no delay of mail.
 * @module
 */
import type { Home, SocketName } from "../../../config/home.ts";
import { Client } from "./client.ts";
import { mayCall } from "./may_call.ts";

/** A restart takes some 100 ms. */
const connectMs = 2000;
const mostKept = 1000;

/** One connection to a socket, made when first needed and made again after a restart. */
export class NoteClient<N> {
  readonly #client: Client;
  readonly #isOn: boolean;
  readonly #frameOf: (note: N) => object;
  #kept: N[] = [];
  #passing = false;

  constructor(home: Home, socket: SocketName, frameOf: (note: N) => object) {
    this.#client = new Client(home.socket(socket), { connectMs });
    // Who may not connect there runs where the component is switched off.
    this.#isOn = mayCall(home, socket);
    this.#frameOf = frameOf;
  }

  /** Whether anybody counts: else there is no need to find out what a note would say. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** Returns at once; does nothing where nobody counts. */
  note(note: N): void {
    if (!this.#isOn) return;
    const { pipe } = this.#client;
    if (pipe !== undefined && this.#kept.length === 0) return pipe.send(this.#frameOf(note));
    if (this.#kept.length < mostKept) this.#kept.push(note);
    if (!this.#passing) void this.#passOn();
  }

  async #passOn(): Promise<void> {
    this.#passing = true;
    const pipe = await this.#client.connect().catch(() => undefined);
    const kept = this.#kept;
    this.#kept = [];
    for (const note of kept) pipe?.send(this.#frameOf(note));
    this.#passing = false;
  }

  close(): void {
    this.#client.close();
  }
}
