/**
 * An authenticator that asks the component `auth`. While that is away, and when it goes in the middle of an exchange,
 * nobody is right or wrong: `unavailable`.
 * @module
 */
import { describeError, log } from "../log/log.ts";
import { fromOctets } from "../octets.ts";
import { longestResponse, parseAuthStep } from "../wire/auth_protocol.ts";
import { type Client, ConnectionLost } from "../wire/client.ts";
import type { Pipe } from "../wire/pipe.ts";
import type { AuthClient, Authenticator, AuthExchange, AuthStep, Mechanism } from "./authenticator.ts";

export interface AuthClientOptions {
  /** What is on offer: as control/smtpauth has it, see {@link offeredMechanisms}. Asked anew for each client. */
  readonly mechanisms: () => readonly Mechanism[];
  /** How long an answer may take: longer than a checkpassword program may run. */
  readonly answerMs?: number;
}

/** A checkpassword program has 30 s, and those that wait in front of it as long again. */
const defaultAnswerMs = 75_000;
const unavailable: AuthStep = { kind: "failure", reason: "unavailable" };

/** `client` is of the socket `auth`, and the caller closes it. */
export function authenticatorOver(client: Client, options: AuthClientOptions): Authenticator {
  const { mechanisms, answerMs = defaultAnswerMs } = options;
  return {
    get mechanisms() {
      return mechanisms();
    },
    start: (mechanism, facts) => new RemoteExchange(client, mechanism, facts, answerMs),
  };
}

class RemoteExchange implements AuthExchange {
  readonly #client: Client;
  readonly #mechanism: Mechanism;
  readonly #facts: AuthClient;
  readonly #answerMs: number;
  readonly #exchange: number;
  /** The connection that knows the exchange, once it has begun. */
  #pipe: Pipe | undefined;
  #isOver = false;

  constructor(client: Client, mechanism: Mechanism, facts: AuthClient, answerMs: number) {
    this.#client = client;
    this.#mechanism = mechanism;
    this.#facts = facts;
    this.#answerMs = answerMs;
    this.#exchange = client.newId();
  }

  async next(response: Uint8Array | undefined): Promise<AuthStep> {
    if (this.#isOver) return unavailable;
    if ((response?.length ?? 0) > longestResponse) {
      this.cancel();
      return { kind: "failure", reason: "malformed" };
    }
    try {
      const step = await this.#ask(response);
      if (step.kind !== "challenge") this.#isOver = true;
      return step;
    } catch (error) {
      if (!(error instanceof ConnectionLost)) log(`alert: cannot ask auth: ${describeError(error)}`);
      this.cancel();
      return unavailable;
    }
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pipe?.send({ op: "cancel", exchange: this.#exchange });
  }

  async #ask(response: Uint8Array | undefined): Promise<AuthStep> {
    const started = this.#pipe;
    const pipe = started ?? await this.#client.connect();
    // Cancelled while it waited for a connection, or there is none.
    if (pipe === undefined || this.#isOver) return unavailable;
    this.#pipe = pipe;
    const head = started === undefined
      ? startHead(this.#exchange, this.#mechanism, this.#facts, response !== undefined)
      : { op: "next", exchange: this.#exchange };
    const answer = this.#client.requestOn(pipe, this.#client.newId(), head, response);
    const limit = Promise.withResolvers<undefined>();
    const timer = setTimeout(limit.resolve, this.#answerMs, undefined);
    try {
      const frame = await Promise.race([answer, limit.promise]);
      if (frame !== undefined) return parseAuthStep(frame);
      log("alert: auth gave no answer in time");
      this.cancel();
      return unavailable;
    } finally {
      clearTimeout(timer);
    }
  }
}

function startHead(exchange: number, mechanism: Mechanism, client: AuthClient, initial: boolean): object {
  const { ip, entrance, tls, endPoint } = client;
  const bound = endPoint === undefined ? {} : { endPoint: fromOctets(endPoint) };
  return { op: "start", exchange, mechanism, ip, entrance, tls, ...bound, initial };
}
