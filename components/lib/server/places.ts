/**
 * Who gets one of the connections there may be at once, and how much patience strangers are met with while they are
 * scarce (Postfix's "stress"). Pure: knows no socket, and the time only as an argument.
 *
 * A stranger is who may not relay, has not logged in, and has not lately had a message accepted. Under stress strangers
 * are waited for less long and are cut off at their first error, so that their slots come free; the others go on as ever,
 * and find a few slots that strangers cannot have.
 * @module
 */

/** Stress begins above four fifths of the slots and ends below seven tenths: not with every client that comes and goes. */
const stressBegins = 0.8;
const stressEnds = 0.7;

/** Slots that only those have who are no strangers, beside the others: one for twenty. */
const reserveShare = 0.05;

/** Clients whose mail was accepted are no strangers for a day; this many are remembered. */
const goodMs = 24 * 60 * 60 * 1000;
const mostGood = 10_000;

export interface Limits {
  /** At once, whoever the clients are; at least 1. */
  readonly connections: number;
  /** Of these from one client; 0: no limit. */
  readonly perClient: number;
}

/** Who wants in. */
export interface Visitor {
  /** Whom it counts as: an address, or an IPv6 network of 64 bits. */
  readonly network: string;
  /** May relay, or speaks for many clients: no stranger, and has no limit of its own. */
  readonly trusted: boolean;
}

export type Refusal = "too-many-connections" | "too-many-from-client";

/** The slots of one process. */
export class Places {
  #limits: Limits;
  #taken = 0;
  #stressed = false;
  /** Slots taken, by network; a network without any is not in it. */
  readonly #byNetwork = new Map<string, number>();
  /** When a message from there was last accepted, the latest at the end. */
  readonly #good = new Map<string, number>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get limits(): Limits {
    return this.#limits;
  }

  /** Other limits from now on; who has a slot keeps it. */
  set limits(limits: Limits) {
    this.#limits = limits;
    this.#weigh();
  }

  get taken(): number {
    return this.#taken;
  }

  /** Whether strangers get less patience at the moment. */
  get stressed(): boolean {
    return this.#stressed;
  }

  /** Takes a slot, to be given back with {@link leave}; or answers why there is none. */
  enter({ network, trusted }: Visitor, nowMs: number): Refusal | undefined {
    const { connections, perClient } = this.#limits;
    const own = this.#byNetwork.get(network) ?? 0;
    if (!trusted && perClient > 0 && own >= perClient) return "too-many-from-client";
    if (this.#taken >= connections) {
      const reserve = Math.ceil(connections * reserveShare);
      const mayUseReserve = (trusted || this.isGood(network, nowMs)) && this.#taken < connections + reserve;
      if (!mayUseReserve) return "too-many-connections";
    }
    this.#taken++;
    this.#byNetwork.set(network, own + 1);
    this.#weigh();
    return undefined;
  }

  /** Gives back a slot that was taken for `network`. */
  leave(network: string): void {
    const own = this.#byNetwork.get(network);
    if (own === undefined) return;
    this.#taken--;
    if (own === 1) this.#byNetwork.delete(network);
    else this.#byNetwork.set(network, own - 1);
    this.#weigh();
  }

  /** A message of a client of `network` was accepted. */
  accepted(network: string, nowMs: number): void {
    this.#good.delete(network);
    this.#good.set(network, nowMs);
    if (this.#good.size <= mostGood) return;
    const [oldest] = this.#good.keys();
    this.#good.delete(oldest!);
  }

  /** Whether a message from there was accepted lately. */
  isGood(network: string, nowMs: number): boolean {
    const acceptedMs = this.#good.get(network);
    return acceptedMs !== undefined && nowMs - acceptedMs < goodMs;
  }

  #weigh(): void {
    const { connections } = this.#limits;
    this.#stressed = this.#taken > connections * (this.#stressed ? stressEnds : stressBegins);
  }
}

/** What is left for each of several processes that share one port: at least one connection, together the whole or a few more. */
export function shareOf({ connections, perClient }: Limits, processes: number): Limits {
  return { connections: Math.ceil(connections / processes), perClient: Math.ceil(perClient / processes) };
}
