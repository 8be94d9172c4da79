/**
 * Connections that have just carried a message and wait, for two seconds at most, for the next to the same server: a
 * queue that empties towards one host then needs one connection a slot, not one a message.
 * @module
 */
import type { TlsFacts } from "../lib/tls/client_policy.ts";
import type { Connection } from "./connection.ts";
import type { Peer } from "./peer.ts";

/** A connection past EHLO, between two transactions. */
export interface IdleConnection {
  readonly connection: Connection;
  readonly peer: Peer;
  /** What protects it. Its key has to tell what was demanded, and whom it is logged in as. */
  readonly tls?: TlsFacts | undefined;
  /** Transactions it has carried. */
  readonly transactions: number;
}

// Some servers dislike connections that never end.
const mostTransactions = 100;
const mostIdle = 40;
const idleMs = 2000;
const quit = "QUIT\r\n";

interface Kept extends IdleConnection {
  readonly key: string;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class IdleConnections {
  /** In the order they came; the last is the one least likely to have been closed by its server. */
  readonly #kept = new Set<Kept>();

  /** Whether {@link take} would find one. */
  has(key: string): boolean {
    return this.#kept.values().some((one) => one.key === key);
  }

  /** The connection last kept under `key`, no longer kept. */
  take(key: string): IdleConnection | undefined {
    const kept = [...this.#kept].findLast((one) => one.key === key);
    if (kept !== undefined) this.#forget(kept);
    return kept;
  }

  /** Keeps a connection for a while, or closes it where it has served enough or is not quiet. */
  keep(key: string, idle: IdleConnection): void {
    const { connection } = idle;
    const most = Math.min(mostTransactions, idle.peer.limits.mailMax ?? mostTransactions);
    if (connection.spoken || idle.transactions >= most) {
      connection.close(quit);
      return;
    }
    const kept: Kept = { ...idle, key, timer: setTimeout(() => this.#drop(kept), idleMs) };
    // Whatever a server says now is a good-bye.
    connection.onSpoken = () => this.#drop(kept);
    this.#kept.add(kept);
    if (this.#kept.size > mostIdle) this.#drop(this.#kept.values().next().value!);
  }

  closeAll(): void {
    for (const kept of [...this.#kept]) this.#drop(kept);
  }

  #drop(kept: Kept): void {
    this.#forget(kept);
    kept.connection.close(quit);
  }

  #forget(kept: Kept): void {
    clearTimeout(kept.timer);
    kept.connection.onSpoken = undefined;
    this.#kept.delete(kept);
  }
}
