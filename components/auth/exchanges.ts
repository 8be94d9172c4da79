/**
 * The exchanges that are under way, by the connection that began them and its number for each. So many at most: the oldest
 * are given up for new ones, for a server may forget to say that its client left.
 * @module
 */
import type { Exchange } from "./exchange.ts";

export const mostExchanges = 5000;

interface Entry<C> {
  readonly connection: C;
  readonly number: number;
  readonly exchange: Exchange;
}

/** `C`: what stands for a connection. */
export class Exchanges<C> {
  readonly #byConnection = new Map<C, Map<number, Entry<C>>>();
  /** The oldest first. */
  readonly #all = new Set<Entry<C>>();

  /** One under this number that is there already is given up. */
  add(connection: C, number: number, exchange: Exchange): void {
    this.end(connection, number);
    const entry = { connection, number, exchange };
    const own = this.#byConnection.get(connection) ?? new Map<number, Entry<C>>();
    this.#byConnection.set(connection, own.set(number, entry));
    this.#all.add(entry);
    if (this.#all.size > mostExchanges) this.#drop(this.#all.values().next().value!);
  }

  get(connection: C, number: number): Exchange | undefined {
    return this.#byConnection.get(connection)?.get(number)?.exchange;
  }

  /** Forgets it, and gives it up where it is not over. */
  end(connection: C, number: number): void {
    const entry = this.#byConnection.get(connection)?.get(number);
    if (entry !== undefined) this.#drop(entry);
  }

  endAll(connection: C): void {
    for (const entry of [...this.#byConnection.get(connection)?.values() ?? []]) this.#drop(entry);
  }

  get size(): number {
    return this.#all.size;
  }

  #drop(entry: Entry<C>): void {
    entry.exchange.cancel();
    this.#all.delete(entry);
    const own = this.#byConnection.get(entry.connection);
    own?.delete(entry.number);
    if (own?.size === 0) this.#byConnection.delete(entry.connection);
  }
}
