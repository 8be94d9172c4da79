/**
 * The exchange of a client that is logging in, while there is one.
 * @module
 */
import type { Authenticator, AuthExchange, AuthStep, Mechanism } from "../lib/sasl/authenticator.ts";
import type { Secured } from "./service.ts";

/** What the client asked for. */
export interface Beginning {
  readonly mechanism: Mechanism;
  /** The initial response, decoded. */
  readonly initial: Uint8Array | undefined;
}

export class Login {
  readonly #authenticator: Authenticator | undefined;
  readonly #entrance: string;
  #exchange: AuthExchange | undefined;

  /** Without an authenticator every exchange fails, and nobody is to blame. */
  constructor(authenticator: Authenticator | undefined, entrance: string) {
    this.#authenticator = authenticator;
    this.#entrance = entrance;
  }

  async begin({ mechanism, initial }: Beginning, ip: string, secured: Secured | undefined): Promise<AuthStep> {
    const { endPoint } = secured ?? {};
    const binding = endPoint === undefined ? {} : { endPoint };
    const client = { ip, entrance: this.#entrance, tls: secured !== undefined, ...binding };
    this.#exchange = this.#authenticator?.start(mechanism, client);
    return await this.goOn(initial);
  }

  async goOn(response: Uint8Array | undefined): Promise<AuthStep> {
    if (this.#exchange === undefined) return { kind: "failure", reason: "unavailable" };
    const step = await this.#exchange.next(response);
    if (step.kind !== "challenge") this.#exchange = undefined;
    return step;
  }

  /** The client gave up, or has gone. */
  cancel(): void {
    this.#exchange?.cancel();
    this.#exchange = undefined;
  }
}
