/**
 * Failed logins: how long the answer to one is held back, and when no password is compared any more. Counted by client
 * (an IPv4 address, a /64 of IPv6) and by login. Times are ms of any clock that only goes forward.
 *
 * A success takes back the failures of that client with that login and no others, so that who has one password cannot
 * wash away his guesses at others; and from then on that client's logins under that name are judged by its own failures
 * alone, so that guesses from elsewhere lock nobody out of where he comes from every day.
 * @module
 */
import { formatIp } from "../../config/ip/format_ip.ts";
import { parseClientIp } from "../../config/ip/parse_ip.ts";

/** What is forgotten so long after the last failure; so long a lock-out lasts as well. */
export const windowMs = 600_000;
/** Failures in a window after which a client, or a login, is locked out. */
export const mostByClient = 20;
export const mostByLogin = 100;
/** The first failure is held back so long, each further one twice as long as the one before. */
const firstDelayMs = 500;
export const mostDelayMs = 15_000;
/** Records of each kind. The oldest go first; to push one out by failing takes so many clients. */
export const mostRecords = 5000;

interface Count {
  readonly failures: number;
  readonly untilMs: number;
}

/** Counts by key, at most {@link mostRecords}; the one that was raised longest ago goes first. */
class Counts {
  readonly #counts = new Map<string, Count>();

  at(key: string, nowMs: number): number {
    const count = this.#counts.get(key);
    return count === undefined || count.untilMs <= nowMs ? 0 : count.failures;
  }

  raise(key: string, nowMs: number): void {
    const failures = this.at(key, nowMs) + 1;
    this.#counts.delete(key);
    this.#counts.set(key, { failures, untilMs: nowMs + windowMs });
    if (this.#counts.size > mostRecords) this.#counts.delete(this.#counts.keys().next().value!);
  }

  lower(key: string, by: number): void {
    const count = this.#counts.get(key);
    if (count === undefined) return;
    if (count.failures <= by) this.#counts.delete(key);
    else this.#counts.set(key, { ...count, failures: count.failures - by });
  }

  get size(): number {
    return this.#counts.size;
  }
}

export class Failures {
  readonly #byClient = new Counts();
  readonly #byLogin = new Counts();
  readonly #byPair = new Counts();
  /** Pairs of client and login that have succeeded; the one that did so longest ago goes first. */
  readonly #known = new Set<string>();

  /** Whether nothing is to be compared for this client and this login. */
  isLocked(client: string, login: string, nowMs: number): boolean {
    return this.#byClient.at(client, nowMs) >= mostByClient || this.#foreign(client, login, nowMs) >= mostByLogin;
  }

  /** Counts one; answers how many ms to hold the reply back. */
  failed(client: string, login: string, nowMs: number): number {
    this.#byClient.raise(client, nowMs);
    this.#byLogin.raise(login, nowMs);
    this.#byPair.raise(pairOf(client, login), nowMs);
    const failures = Math.max(this.#byClient.at(client, nowMs), this.#foreign(client, login, nowMs));
    return Math.min(firstDelayMs * 2 ** (failures - 1), mostDelayMs);
  }

  succeeded(client: string, login: string, nowMs: number): void {
    const pair = pairOf(client, login);
    const own = this.#byPair.at(pair, nowMs);
    this.#byPair.lower(pair, own);
    this.#byClient.lower(client, own);
    this.#byLogin.lower(login, own);
    this.#known.delete(pair);
    this.#known.add(pair);
    if (this.#known.size > mostRecords) this.#known.delete(this.#known.values().next().value!);
  }

  /** Records of all kinds. */
  get size(): number {
    return this.#byClient.size + this.#byLogin.size + this.#byPair.size + this.#known.size;
  }

  /** The login's failures from everywhere, which do not count for a client that is known to have its password. */
  #foreign(client: string, login: string, nowMs: number): number {
    return this.#known.has(pairOf(client, login)) ? 0 : this.#byLogin.at(login, nowMs);
  }
}

/** No address has a blank. */
function pairOf(client: string, login: string): string {
  return `${client} ${login}`;
}

/** What of an address counts as one client; what is no address ("unknown") is one of its own. */
export function clientOf(ip: string): string {
  const address = parseClientIp(ip);
  if (address === undefined) return ip.replaceAll(" ", "_");
  return address.kind === "ipv4" ? formatIp(address) : `${address.octets.slice(0, 8).join(".")}::`;
}
