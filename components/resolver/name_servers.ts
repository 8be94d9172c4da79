/**
 * The name servers, in the order in which to ask them: as configured, but one that has been silent several times in a
 * row last for a while, so that a dead first server does not cost every lookup a wait. Also from where each is asked.
 * @module
 */
import { canonicalIp } from "../../config/ip/parse_ip.ts";
import { isLoopback } from "../../config/ip/ranges.ts";
import type { Endpoint } from "../../config/values.ts";

/** Of which servers the AD bit is believed (control/trustad). */
export type TrustAd = "loopback" | "1" | "0";

/** One silence may be the fault of a slow zone, not of the server. */
const silencesInARow = 3;
const setAsideMs = 30_000;

interface Health {
  silences: number;
  asideUntilMs: number;
}

/** What a try changed about a server, if anything. */
export type Change = "down" | "up" | undefined;

export class NameServers {
  readonly #servers: readonly Endpoint[];
  readonly #health: ReadonlyMap<Endpoint, Health>;

  constructor(servers: readonly Endpoint[]) {
    this.#servers = servers;
    this.#health = new Map(servers.map((server) => [server, { silences: 0, asideUntilMs: -Infinity }]));
  }

  inOrder(nowMs: number): readonly Endpoint[] {
    const isAside = (server: Endpoint) => (this.#health.get(server)?.asideUntilMs ?? -Infinity) > nowMs;
    return [...this.#servers.filter((server) => !isAside(server)), ...this.#servers.filter(isAside)];
  }

  /** Notes whether a server gave an answer, of whatever use. */
  note(server: Endpoint, answered: boolean, nowMs: number): Change {
    const health = this.#health.get(server);
    if (health === undefined) return undefined;
    const wasDown = health.silences >= silencesInARow;
    health.silences = answered ? 0 : health.silences + 1;
    const isDown = health.silences >= silencesInARow;
    health.asideUntilMs = isDown ? nowMs + setAsideMs : -Infinity;
    if (wasDown === isDown) return undefined;
    return isDown ? "down" : "up";
  }
}

/**
 * The local address from which a server is asked. Its port is 0: the system draws another one for every query, which an
 * attacker has to guess besides the id. A server on this machine is asked from this machine's own address.
 */
export function localEndOf({ host }: Endpoint): Endpoint {
  if (host.includes(":")) return { host: isLoopback(host) ? "::1" : "::", port: 0 };
  return { host: isLoopback(host) ? "127.0.0.1" : "0.0.0.0", port: 0 };
}

/**
 * Whether a server's word that an answer is proven (the AD bit, RFC 4035 §3.2.3) may be believed. On the way from another
 * machine anybody could have set it, and it is all that DANE rests on (RFC 7672 §2.1.1): so, unless the operator says that
 * the way is safe, only a server of this machine is believed.
 */
export function believesAd(server: Endpoint, trust: TrustAd): boolean {
  return trust === "1" || (trust === "loopback" && isLoopback(server.host));
}

/** Whether a datagram came from `server`, however its address is spelled. */
export function isFrom(server: Endpoint, address: string, port: number): boolean {
  return port === server.port && canonicalIp(address) === canonicalIp(server.host);
}
