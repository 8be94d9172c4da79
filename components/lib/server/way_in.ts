/**
 * Where a client's message goes: to qmail-queue, through the filters that control/filters has for the client's way in, or
 * to the program that QMAILQUEUE names for the client, which comes before those; and who brought one that was accepted.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import type { Way } from "../filters/chain.ts";
import { type FilterControls, loggingHops, routeOf } from "../filters/controls.ts";
import type { ClientNote } from "../filters/filter.ts";
import { ChainSubmission, type Hops } from "../filters/hand_on.ts";
import { formatRouteText, routeVariable } from "../filters/route.ts";
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
  /** As they are at the moment. */
  readonly filtering: () => FilterControls;
}

/** A client, and what is known of it beside. */
export interface Comer {
  readonly facts: ClientFacts;
  /** Its way in, where that is none of those a policy knows. */
  readonly way?: Way;
  readonly host?: string | undefined;
}

function noteOf({ facts, way = facts.entrance, host }: Comer): ClientNote {
  const { ip, helo, login, tls, relaying } = facts;
  return {
    entrance: way,
    ip,
    helo,
    ...(host === undefined ? {} : { host }),
    ...(login === undefined ? {} : { login }),
    tls,
    relaying: relaying || login !== undefined,
  };
}

export class WayIn {
  readonly #options: WayInOptions;
  readonly #hops: Hops;

  constructor(options: WayInOptions) {
    this.#options = options;
    this.#hops = loggingHops(options.home);
  }

  /** Begins one message. */
  begin(comer: Comer): IntoQueue {
    const { places } = this.#options;
    const { facts } = comer;
    const submission = this.#begin(comer);
    // Who may relay is no stranger in any case.
    return facts.relaying ? submission : new Noted(submission, () => places.accepted(networkOf(facts.ip), Date.now()));
  }

  close(): void {
    this.#hops.close();
  }

  #begin(comer: Comer): IntoQueue {
    const { home, queue, hooks, uid, filtering } = this.#options;
    const { facts, way = facts.entrance } = comer;
    const controls = filtering();
    const route = controls.filters.size === 0 ? undefined : routeOf(controls, way, noteOf(comer));
    const program = facts.environment.size === 0 ? undefined : readVariables(facts.environment).qmailqueue;
    if (program === undefined || isOwnQueue(program, home)) {
      return route === undefined
        ? new Submission(queue, "network", uid)
        : new ChainSubmission(this.#hops, { origin: "network", uid, route, environment: clientEnvironment(facts) });
    }
    const environment = clientEnvironment(facts);
    // What the program hands to qmail-queue goes the same way as others' mail.
    if (route !== undefined) environment.set(routeVariable, formatRouteText(route));
    return hooks.begin(program, environment, "network", uid);
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
