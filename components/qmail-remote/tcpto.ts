/**
 * Hosts that time out (qmail's queue/lock/tcpto): an address that timed out twice is left alone for about an hour, so
 * that mail to a dead host does not hold a slot for a minute each.
 *
 * Unlike qmail: kept in memory, for qmail-remote may write no file; as there, a restart forgets it.
 * @module
 */

interface Entry {
  readonly timeouts: number;
  readonly lastMs: number;
}

const mostEntries = 1000;
// Deliveries under way at the same time must not count one outage many times.
const damperMs = 120_000;
// qmail: 64 to 97 minutes, by process id.
const skipMs = 60 * 64_000;

export class TcpTimeouts {
  readonly #entries = new Map<string, Entry>();

  /** Whether to pass over `address` at `nowMs`. */
  skips(address: string, nowMs: number): boolean {
    const entry = this.#entries.get(address);
    return entry !== undefined && entry.timeouts >= 2 && nowMs - entry.lastMs < skipMs;
  }

  /** A connection attempt ran into its limit. */
  timedOut(address: string, nowMs: number): void {
    const entry = this.#entries.get(address);
    if (entry !== undefined && nowMs - entry.lastMs < damperMs) return;
    this.#entries.delete(address);
    this.#entries.set(address, { timeouts: (entry?.timeouts ?? 0) + 1, lastMs: nowMs });
    if (this.#entries.size > mostEntries) this.#entries.delete(this.#entries.keys().next().value!);
  }

  /** It answered. */
  connected(address: string): void {
    this.#entries.delete(address);
  }
}
