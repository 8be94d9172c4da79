/**
 * Counts what is written to sockets and read from them: at `Deno.connect` and `Deno.listen`. Of a Unix socket it counts the
 * frames and their octets as well. TCP clients come through a {@link MemoryDoor}: what is one write here is one read
 * there, whatever else the machine has to do.
 * @module
 */
import type { Tally } from "./budget.ts";
import { FrameReader } from "../../components/lib/wire/frame.ts";
import { maxFrameBytes } from "../../components/lib/wire/pipe.ts";
import { MemoryConn, memoryPair } from "./memory_conn.ts";

/** What a TCP server of this process hears of clients. */
export class MemoryDoor {
  readonly #coming: Deno.Conn[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  /** Of the listener that was opened last. */
  tally: Tally | undefined;

  /** A client's end of a new connection. */
  connect(): Deno.TcpConn {
    const [client, server] = memoryPair();
    this.tally?.add("connections");
    const counted = this.tally === undefined
      ? server as unknown as Deno.TcpConn
      : countCalls(server, this.tally, "the client");
    this.#coming.push(counted);
    this.#wake?.();
    return client;
  }

  async accept(): Promise<Deno.Conn> {
    while (this.#coming.length === 0) {
      if (this.#closed) throw new Deno.errors.BadResource("closed");
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#coming.shift()!;
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }
}

/** Counts writes to, and reads from, a connection; a read that finds its end is none. */
function countCalls(conn: MemoryConn, tally: Tally, whom: string): Deno.TcpConn {
  const { read, write } = conn;
  return Object.assign(conn, {
    read: async (buffer: Uint8Array) => {
      const count = await read.call(conn, buffer);
      if (count !== null) tally.add(`reads from ${whom}`);
      return count;
    },
    write: (octets: Uint8Array) => {
      tally.add(`writes to ${whom}`);
      return write.call(conn, octets);
    },
  }) as unknown as Deno.TcpConn;
}

/** The same for frames. */
export function countFrames<C extends { write(octets: Uint8Array): Promise<number> }>(
  conn: C,
  tally: Tally,
  whom: string,
): C {
  const frames = new FrameReader(maxFrameBytes);
  const write = conn.write.bind(conn);
  conn.write = async (octets) => {
    tally.add(`writes to ${whom}`);
    const count = await write(octets);
    tally.add(`octets to ${whom}`, count);
    const whole = frames.push(octets.slice(0, count)).length;
    if (whole > 0) tally.add(`frames to ${whom}`, whole);
    return count;
  };
  return conn;
}

/** Whose sockets are counted; all the others are left alone. */
export interface MeteredSockets {
  /** Unix sockets the component connects to, by path: who is there. */
  readonly calls?: Readonly<Record<string, string>>;
  /** Those it listens at, by path: who connects to them. */
  readonly serves?: Readonly<Record<string, string>>;
  /** Where its TCP clients come from: they never leave this process. */
  readonly door?: MemoryDoor;
}

export function meterSockets(tally: Tally, { calls = {}, serves = {}, door }: MeteredSockets): Disposable {
  const { connect, listen } = Deno;
  if (door !== undefined) door.tally = tally;
  const connectCounted = async (options: Deno.ConnectOptions | Deno.UnixConnectOptions) => {
    const conn = await connect(options as Deno.ConnectOptions);
    const whom = "path" in options ? calls[options.path] : undefined;
    if (whom === undefined) return conn;
    tally.add(`connections to ${whom}`);
    return countFrames(conn, tally, whom);
  };
  const listenCounted = (options: Deno.ListenOptions | Deno.UnixListenOptions) => {
    if (door !== undefined && !("path" in options)) return listenerOf(door);
    const listener = listen(options as Deno.TcpListenOptions);
    const whom = "path" in options ? serves[options.path] : undefined;
    if (whom === undefined) return listener;
    const accept = listener.accept.bind(listener);
    listener.accept = async () => countFrames(await accept(), tally, whom);
    return listener;
  };
  Object.assign(Deno, { connect: connectCounted, listen: listenCounted });
  return { [Symbol.dispose]: () => void Object.assign(Deno, { connect, listen }) };
}

function listenerOf(door: MemoryDoor): Pick<Deno.TcpListener, "accept" | "close" | "addr"> {
  const addr: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 2525 };
  return { addr, accept: () => door.accept() as Promise<Deno.TcpConn>, close: () => door.close() };
}
