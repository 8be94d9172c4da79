/**
 * What stands in for qmail-queue on its socket.
 * @module
 */
import { fromOctets } from "../../components/lib/octets.ts";
import { type EnvelopeFields, parseQueueRequest } from "../../components/lib/wire/queue_protocol.ts";
import { serveUnix, type UnixServer } from "../../components/lib/wire/server.ts";
import type { Home } from "../../config/home.ts";

/** The number all fake queues give. */
export const qp = 4896;

/** One message as the fake qmail-queue got it; content as an octet string. */
export interface Queued {
  readonly envelope: EnvelopeFields;
  readonly content: string;
}

/** Takes messages, and keeps them unless told to only count their octets. */
export class FakeQueue {
  readonly messages: Queued[] = [];
  aborted = 0;
  opened = 0;
  bytes = 0;
  /** The answer; `hold` keeps it back until {@link release}. */
  code = 0;
  hold = false;
  keep = true;
  readonly #path: string;
  readonly #held: (() => void)[] = [];
  readonly #drafts = new Map<number, Uint8Array[]>();
  #server: UnixServer | undefined;
  /** Called after every frame: what a test waits for. */
  #onChange: (() => void)[] = [];

  constructor(home: Home) {
    this.#path = home.socket("qmail-queue");
    this.start();
  }

  start(): void {
    this.#server = serveUnix(this.#path, {
      onFrame: (frame, pipe) => {
        const request = parseQueueRequest(frame);
        const answer = () => pipe.send({ id: request.id, code: this.code, qp });
        if (request.op === "message") this.#add(request.envelope, [request.content]);
        if (request.op === "close") this.#add(request.envelope, this.#drafts.get(request.id) ?? []);
        if (request.op === "message" || request.op === "close") this.hold ? this.#held.push(answer) : answer();
        if (request.op === "open") this.opened++;
        if (request.op === "open") this.#drafts.set(request.id, []);
        if (request.op === "data") {
          this.bytes += request.content.length;
          if (this.keep) this.#drafts.get(request.id)!.push(request.content);
        }
        if (request.op === "abort") this.aborted++;
        this.#changed();
      },
      onClose: () => this.#changed(),
      onError: (error) => {
        throw error;
      },
    });
  }

  /** As a restart: every connection ends. */
  stop(): void {
    this.#server?.stop();
    this.#server?.closeAll();
    this.#server = undefined;
  }

  release(): void {
    for (const answer of this.#held.splice(0)) answer();
  }

  /** Settles once `condition` holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#onChange.push(resolve));
  }

  #changed(): void {
    for (const resolve of this.#onChange.splice(0)) resolve();
  }

  #add(envelope: EnvelopeFields, pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.bytes += piece.length;
    if (this.keep && this.code === 0) this.messages.push({ envelope, content: pieces.map(fromOctets).join("") });
  }
}
