/**
 * Connections that have been greeted and say nothing.
 * @module
 */
import { fromOctets } from "../../../components/lib/octets.ts";

/** More at a time would find the server's listen queue full. */
const atATime = 50;
const greetingLimitMs = 30_000;

/** Open until it is disposed of. */
export class Connections implements Disposable {
  readonly #address: { readonly hostname: string; readonly port: number };
  readonly #open: Deno.TcpConn[] = [];

  constructor({ host, port }: { readonly host: string; readonly port: number }) {
    this.#address = { hostname: host, port };
  }

  /** Opens what is missing. Throws where one is not greeted by 220. */
  async growTo(count: number): Promise<void> {
    while (this.#open.length < count) {
      const missing = Math.min(count - this.#open.length, atATime);
      await Promise.all(Array.from({ length: missing }, () => this.#openOne()));
    }
  }

  async #openOne(): Promise<void> {
    const conn = await Deno.connect(this.#address);
    this.#open.push(conn);
    const timer = setTimeout(() => conn.close(), greetingLimitMs);
    const buffer = new Uint8Array(512);
    const length = await conn.read(buffer).catch(() => null);
    clearTimeout(timer);
    const greeting = fromOctets(buffer.subarray(0, length ?? 0));
    if (greeting.startsWith("220")) return;
    throw new Error(`Cannot hold ${this.#open.length} connections: instead of a 220 came ${JSON.stringify(greeting)}`);
  }

  [Symbol.dispose](): void {
    for (const conn of this.#open) {
      try {
        conn.close();
      } catch {
        // closed when its greeting did not come
      }
    }
  }
}
