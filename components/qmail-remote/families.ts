/**
 * Which of a server's addresses to try first, and when to try another beside it (the idea of RFC 8305, for mail): IPv6 and
 * IPv4 in turn, IPv6 first; an address of the other family gets its chance a quarter of a second later, so that a family
 * without a way out costs that much, and only until it is known. Unlike RFC 8305: never more than two attempts at a time,
 * and none beside another of the same family, for a slow server should not be met by a crowd of connections.
 *
 * What is remembered decides nothing but the order: every address is tried as long as none answers.
 * @module
 */
import type { Dialled } from "./dial.ts";

/** Time, and something to be done later; the answer of `after` cancels it. */
export interface Clock {
  /** Never goes back. */
  readonly nowMs: () => number;
  readonly after: (delayMs: number, run: () => void) => () => void;
}

/** RFC 8305 §5's "Connection Attempt Delay". */
export const headStartMs = 250;
/** How long what failed is tried last. */
export const restMs = 10 * 60_000;
/** So many different addresses of a family in a row have to fail: fewer may be those servers' own fault. */
const failuresOfFamily = 3;
const mostAddresses = 1000;

type Family = 4 | 6;

function familyOf(address: string): Family {
  return address.includes(":") ? 6 : 4;
}

interface FamilyHealth {
  /** Different addresses that failed since one answered, at the most as many as matter. */
  readonly failed: Set<string>;
  /** Until when it is tried last. */
  brokenUntilMs: number;
}

/** What is known of addresses and families. Times are of any clock that never goes back. */
export class Families {
  /** Until when an address is tried last; the one that failed longest ago first. */
  readonly #broken = new Map<string, number>();
  readonly #health: Readonly<Record<Family, FamilyHealth>> = {
    4: { failed: new Set(), brokenUntilMs: -Infinity },
    6: { failed: new Set(), brokenUntilMs: -Infinity },
  };

  /**
   * The addresses of one server in the order in which to try them: those that failed lately last; among the others, and
   * among those, the families in turn, IPv6 first unless it alone is broken.
   */
  order(addresses: readonly string[], nowMs: number): readonly string[] {
    if (addresses.length < 2) return addresses;
    const isBroken = (address: string) => (this.#broken.get(address) ?? -Infinity) > nowMs;
    const first: Family = this.#isBroken(6, nowMs) && !this.#isBroken(4, nowMs) ? 4 : 6;
    const whole = addresses.filter((address) => !isBroken(address));
    // A family that is broken is so for addresses nobody has tried yet, too.
    const sound = whole.filter((address) => !this.#isBroken(familyOf(address), nowMs));
    const doubtful = whole.filter((address) => this.#isBroken(familyOf(address), nowMs));
    return [sound, doubtful, addresses.filter(isBroken)].flatMap((some) => inTurn(some, first));
  }

  /** It answered, if only to refuse: there is a way to its family. */
  worked(address: string): void {
    this.#broken.delete(address);
    const health = this.#health[familyOf(address)];
    health.failed.clear();
    health.brokenUntilMs = -Infinity;
  }

  /** It did not answer, or not before the other family did. */
  failed(address: string, nowMs: number): void {
    this.#broken.delete(address);
    this.#broken.set(address, nowMs + restMs);
    for (const oldest of this.#broken.keys()) {
      if (this.#broken.size <= mostAddresses) break;
      this.#broken.delete(oldest);
    }
    const health = this.#health[familyOf(address)];
    if (health.failed.size < failuresOfFamily) health.failed.add(address);
    if (health.failed.size >= failuresOfFamily) health.brokenUntilMs = nowMs + restMs;
  }

  #isBroken(family: Family, nowMs: number): boolean {
    return this.#health[family].brokenUntilMs > nowMs;
  }
}

function inTurn(addresses: readonly string[], first: Family): readonly string[] {
  const ones = addresses.filter((address) => familyOf(address) === first);
  const others = addresses.filter((address) => familyOf(address) !== first);
  const longest = Math.max(ones.length, others.length);
  return Array.from({ length: longest }, (_, at) => [...ones.slice(at, at + 1), ...others.slice(at, at + 1)]).flat();
}

/** The first of a server's addresses that answered. */
export type First =
  | {
    readonly kind: "connected";
    readonly address: string;
    readonly connection: Extract<Dialled, { kind: "connected" }>["connection"];
    /** Those that might be tried besides: not tried yet, or slower than this one. */
    readonly rest: readonly string[];
  }
  | { readonly kind: "none" };

/**
 * Connects to one of `addresses` ({@link Families.order} is asked which first). `dialOne` never rejects, and is called once
 * an address at the most; it learns of every outcome, also of an attempt that lost, whose connection is closed here. With
 * one address, or one family, no timer is set.
 */
export function connectFirst(
  addresses: readonly string[],
  dialOne: (address: string) => Promise<Dialled>,
  { families, clock }: { readonly families: Families; readonly clock: Clock },
): Promise<First> {
  const waiting = [...families.order(addresses, clock.nowMs())];
  const underWay = new Set<string>();
  return new Promise((resolve) => {
    let over = false;
    let cancelTimer = (): void => {};

    const startNext = (): void => {
      cancelTimer();
      cancelTimer = () => {};
      const address = waiting.shift();
      if (address === undefined) {
        if (underWay.size > 0) return;
        over = true;
        return resolve({ kind: "none" });
      }
      underWay.add(address);
      void dialOne(address).then((dialled) => onDialled(address, dialled));
      if (underWay.size === 1 && bringForward(waiting, familyOf(address))) {
        cancelTimer = clock.after(headStartMs, startNext);
      }
    };

    const onDialled = (address: string, dialled: Dialled): void => {
      underWay.delete(address);
      note(address, dialled);
      if (dialled.kind !== "connected") {
        if (!over) startNext();
        return;
      }
      if (over) return dialled.connection.close("");
      over = true;
      cancelTimer();
      for (const slower of underWay) families.failed(slower, clock.nowMs());
      resolve({ kind: "connected", address, connection: dialled.connection, rest: [...waiting, ...underWay] });
    };

    const note = (address: string, dialled: Dialled): void => {
      switch (dialled.kind) {
        case "connected":
          return families.worked(address);
        case "timeout":
          return families.failed(address, clock.nowMs());
        case "refused":
          return dialled.unreachable === true ? families.failed(address, clock.nowMs()) : families.worked(address);
        case "not granted":
          return;
      }
    };

    startNext();
  });
}

/** Makes the first address of the other family the next one, if there is one. */
function bringForward(waiting: string[], family: Family): boolean {
  const at = waiting.findIndex((address) => familyOf(address) !== family);
  if (at < 0) return false;
  waiting.unshift(...waiting.splice(at, 1));
  return true;
}
