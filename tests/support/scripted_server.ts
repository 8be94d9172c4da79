/**
 * A server on loopback that does as a test tells it, once for each connection, and is gone with its scope or before.
 * @module
 */

export interface ScriptedServer extends AsyncDisposable {
  readonly port: number;
  /** Connections so far. */
  readonly count: number;
}

/** Where it listens: a port of the system's choice, or a socket at `path`. */
export type Place = { readonly path?: string };

/**
 * `serve` has each connection, which is closed when it has ended, or with the server; what it throws when its peer has
 * gone is nobody's concern.
 */
export function scriptedServer(serve: (conn: Deno.Conn) => Promise<void>, { path }: Place = {}): ScriptedServer {
  const listener: Deno.Listener = path === undefined
    ? Deno.listen({ hostname: "127.0.0.1", port: 0 })
    : Deno.listen({ transport: "unix", path });
  const open = new Set<Deno.Conn>();
  const closings = new Map<Deno.Conn, () => void>();
  const served: Promise<void>[] = [];
  let count = 0;
  const accepting = (async () => {
    for await (const conn of listener) {
      count++;
      open.add(conn);
      const closed = new Promise<void>((resolve) => closings.set(conn, resolve));
      served.push(Promise.race([serve(conn), closed]).catch(() => {}).finally(() => close(conn)));
    }
  })();
  const close = (conn: Deno.Conn) => {
    if (!open.delete(conn)) return;
    closings.get(conn)?.();
    try {
      conn.close();
    } catch {
      // Its peer was faster.
    }
  };
  let ended: Promise<void> | undefined;
  const end = async () => {
    listener.close();
    for (const conn of open) close(conn);
    await accepting;
    await Promise.all(served);
  };
  return {
    port: path === undefined ? (listener.addr as Deno.NetAddr).port : 0,
    get count() {
      return count;
    },
    [Symbol.asyncDispose]: () => ended ??= end(),
  };
}

/** Reads and says nothing, until the connection ends. */
export async function untilGone(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  while (await conn.read(buffer) !== null);
}

/** Does not even read: until the server's end. */
export function untilClosed(_conn: Deno.Conn): Promise<void> {
  return new Promise(() => {});
}
