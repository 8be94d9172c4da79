/**
 * TLS for scripted servers: octets of a connection are passed through a TLS listener of Deno's own, another implementation
 * than the client's.
 * @module
 */
import type { Made } from "../../lib/tls/openssl.ts";

/** `left` settles when all that was said inside has left, after `inner` has been closed. */
export interface Passed {
  readonly inner: Deno.Conn;
  readonly left: Promise<void>;
}

export class TlsGate {
  readonly #listener: Deno.TlsListener;
  /** Who waits for the inside of the connection that comes from a port. */
  readonly #waiting = new Map<number, PromiseWithResolvers<Deno.TlsConn>>();

  constructor({ cert, key }: Made) {
    this.#listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
    void this.#acceptAll();
  }

  /** TLS on `outer`, of which `held` was read already; undefined where there is no handshake. */
  async pass(outer: Deno.Conn, held: Uint8Array): Promise<Passed | undefined> {
    const wire = await Deno.connect({ hostname: "127.0.0.1", port: this.#listener.addr.port });
    wire.setNoDelay(true);
    const accepted = this.#at(wire.localAddr.port).promise;
    if (held.length > 0) await wire.write(held);
    const inner = await accepted;
    void pump(outer, wire);
    const left = pump(wire, outer);
    try {
      await inner.handshake();
      return { inner, left };
    } catch {
      return undefined;
    }
  }

  close(): void {
    this.#listener.close();
  }

  async #acceptAll(): Promise<void> {
    for await (const inner of this.#listener) {
      this.#at(inner.remoteAddr.port).resolve(inner);
    }
  }

  /** Where both sides of a connection meet: the first one makes the place, the second one clears it away. */
  #at(port: number): PromiseWithResolvers<Deno.TlsConn> {
    const place = this.#waiting.get(port);
    if (place !== undefined) {
      this.#waiting.delete(port);
      return place;
    }
    const made = Promise.withResolvers<Deno.TlsConn>();
    this.#waiting.set(port, made);
    return made;
  }
}

/** Both ways of a connection end together: what is closed inside is closed outside. */
async function pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
    }
  } catch {
    // Gone.
  }
  for (const conn of [from, to]) {
    try {
      conn.close();
    } catch {
      // Closed already.
    }
  }
}
