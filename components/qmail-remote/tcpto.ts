/**
 * Hosts that time out (qmail's queue/lock/tcpto): an address that timed out twice is passed over for an hour or so, so
 * that mail to a dead host does not hold a slot for a minute each. A refused connection is cheap and not recorded.
 *
 * Unlike qmail: kept in memory, for qmail-remote may write no file (as there, a restart forgets it); a thousand records
 * instead of 64; IPv6 as well as IPv4.
 * @module
 */
import { canonicalIp } from "../../config/ip/parse_ip.ts";
import type { TcptoRecord } from "../lib/wire/tcpto_protocol.ts";

interface Entry {
  readonly timeouts: number;
  readonly lastMs: number;
}

const mostEntries = 1000;
const mostTimeouts = 10;
// Deliveries under way at the same time must not count one outage many times.
const damperMs = 120_000;
const stepMs = 64_000;
const leastSteps = 60;
// What one timeout more is worth to a record that might make room for another.
const worthMs = 1_024_000;

/** How many different waits there are: see {@link TcpTimeouts.skips}. */
export const spreads = 32;

/** Times are of any clock that never goes back. */
export class TcpTimeouts {
  /** By canonical address, the one that timed out longest ago first. */
  readonly #entries = new Map<string, Entry>();

  /**
   * Whether to pass over `address` at `nowMs`. `spread`, from 0 to 31, belongs to the delivery that asks (in qmail it is
   * the process id of the qmail-remote, one a delivery): it waits 64 minutes with 0 and 97 with 31. So of all the mail
   * for a dead host only one in 32 finds out, minute by minute, whether it is back. The same wait for all, or one by
   * address, would let the whole of it go at once and fill every slot.
   */
  skips(address: string, nowMs: number, spread: number): boolean {
    const entry = this.#entries.get(canonicalIp(address));
    return entry !== undefined && entry.timeouts >= 2 && nowMs - entry.lastMs < (leastSteps + spread) * stepMs;
  }

  /** A connection attempt ran into its limit. */
  timedOut(address: string, nowMs: number): void {
    const key = canonicalIp(address);
    const entry = this.#entries.get(key);
    if (entry !== undefined && nowMs - entry.lastMs < damperMs) return;
    if (entry !== undefined) this.#entries.delete(key);
    else if (this.#entries.size >= mostEntries) this.#evict();
    this.#entries.set(key, { timeouts: Math.min((entry?.timeouts ?? 0) + 1, mostTimeouts), lastMs: nowMs });
  }

  /** It answered. */
  connected(address: string): void {
    this.#entries.delete(canonicalIp(address));
  }

  /** Forgets all; answers how many records there were. */
  clear(): number {
    const { size } = this.#entries;
    this.#entries.clear();
    return size;
  }

  /** Whether there is a record that may still hold a connection back. */
  counts(nowMs: number): boolean {
    return this.list(nowMs).some(({ ageSeconds }) => ageSeconds * 1000 < (leastSteps + spreads) * stepMs);
  }

  /** All records, the one that timed out longest ago first. */
  list(nowMs: number): TcptoRecord[] {
    return Array.from(this.#entries, ([address, { timeouts, lastMs }]) => {
      return { address, ageSeconds: Math.floor((nowMs - lastMs) / 1000), timeouts };
    });
  }

  /** An old record goes first, but one of many timeouts stays longer. */
  #evict(): void {
    let least = { key: "", worth: Infinity };
    for (const [key, { timeouts, lastMs }] of this.#entries) {
      const worth = lastMs + timeouts * worthMs;
      if (worth < least.worth) least = { key, worth };
    }
    this.#entries.delete(least.key);
  }
}
