/**
 * Where a client's message goes: to qmail-queue, or to the program that QMAILQUEUE names for the client; and who brought
 * one that was accepted.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import type { ClientFacts } from "../policy/decision.ts";
import { clientEnvironment } from "../policy/hook_environment.ts";
import { networkOf } from "../policy/networks.ts";
import { exitCode } from "../queue/exit_code.ts";
import { Submission, type SubmittedEnvelope } from "../queue/submission.ts";
import type { IntoQueue } from "../smtp/incoming_message.ts";
import type { Places } from "./places.ts";
import { isOwnQueue, readVariables } from "../tcprules/variables.ts";
import type { Client } from "../wire/client.ts";
import type { HooksClient } from "../wire/hooks_client.ts";
import type { QueueReply } from "../wire/queue_protocol.ts";

export interface WayInOptions {
  readonly home: Home;
  readonly queue: Client;
  readonly hooks: HooksClient;
  readonly places: Places;
  readonly uid: number;
}

export class WayIn {
  readonly #options: WayInOptions;

  constructor(options: WayInOptions) {
    this.#options = options;
  }

  /** Begins one message. */
  begin(client: ClientFacts): IntoQueue {
    const { home, queue, hooks, places, uid } = this.#options;
    const program = client.environment.size === 0 ? undefined : readVariables(client.environment).qmailqueue;
    const submission = program === undefined || isOwnQueue(program, home)
      ? new Submission(queue, "network", uid)
      : hooks.begin(program, clientEnvironment(client), "network", uid);
    // Who may relay is no stranger in any case.
    return client.relaying
      ? submission
      : new Noted(submission, () => places.accepted(networkOf(client.ip), Date.now()));
  }
}

/** Calls `onAccepted` once the message is in the queue. */
class Noted implements IntoQueue {
  readonly #inner: IntoQueue;
  readonly #onAccepted: () => void;

  constructor(inner: IntoQueue, onAccepted: () => void) {
    this.#inner = inner;
    this.#onAccepted = onAccepted;
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    return this.#inner.write(chunk);
  }

  async commit(envelope: SubmittedEnvelope): Promise<QueueReply> {
    const reply = await this.#inner.commit(envelope);
    if (reply.code === exitCode.queued) this.#onAccepted();
    return reply;
  }

  abort(): void {
    this.#inner.abort();
  }
}
