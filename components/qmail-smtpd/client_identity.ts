/**
 * Whom a connection speaks with, as the policy is told: from how the client came, what a proxy or XCLIENT says of it, and
 * what the session has come to.
 * @module
 */
import type { ClientFacts } from "../lib/policy/decision.ts";
import type { Session } from "../lib/smtp/server_session.ts";
import type { Attribute, XclientAttributes } from "../lib/smtp/xclient.ts";
import type { Arrival, Clients } from "./service.ts";

const nothing: ReadonlyMap<string, string> = new Map();

/** One client; becomes another with {@link speakFor}. */
export class ClientIdentity {
  readonly #clients: Clients;
  readonly #arrival: Arrival;
  #known: ReturnType<Clients["at"]>;
  #environment: ReadonlyMap<string, string>;
  #remoteHost: string | undefined;

  /** `remoteAddress`: the socket's. */
  constructor(clients: Clients, arrival: Arrival, remoteAddress: string) {
    this.#clients = clients;
    this.#arrival = arrival;
    this.#known = clients.at(arrival.remoteAddress ?? remoteAddress);
    this.#environment = arrival.environment ?? nothing;
  }

  get ip(): string {
    return this.#known.ip;
  }

  /** Its name, where a proxy told it. */
  get remoteHost(): string | undefined {
    return this.#remoteHost;
  }

  set environment(environment: ReadonlyMap<string, string>) {
    this.#environment = environment;
  }

  facts({ helo, secured, login }: Session): ClientFacts {
    const { entrance = "smtp", stress = false } = this.#arrival;
    const { ip, relaying } = this.#known;
    const environment = this.#environment;
    return {
      entrance,
      ip,
      relaying: relaying || environment.has("RELAYCLIENT"),
      environment,
      helo,
      tls: secured !== "",
      login,
      stress,
    };
  }

  /** Somebody else speaks from now on. What the proxy itself may do is not for its clients. */
  speakFor({ addr, name }: XclientAttributes): void {
    if (addr !== undefined) {
      this.#known = this.#clients.at(valueOf(addr));
      this.#environment = this.#known.environment;
      this.#remoteHost = undefined;
    }
    if (name !== undefined) this.#remoteHost = valueOf(name);
  }
}

function valueOf<T>(attribute: Attribute<T>): T | undefined {
  return attribute.kind === "known" ? attribute.value : undefined;
}
