/**
 * The places a server listens at: binds them, takes what connects, and closes them again.
 * @module
 */
import { type Endpoint, type Listener, type Service, tcpListeners } from "../../../config/values.ts";
import { ifThere } from "../disk/if_there.ts";
import { describeError, log, logEvent } from "../log/log.ts";
import { netAddress } from "../permissions/grant.ts";

/** One place to listen at, and the service it is for. */
export type Listening<E extends string = string> = TcpListening<E> | UnixListening<E>;

export interface TcpListening<E extends string = string> extends Endpoint {
  readonly kind: "tcp";
  readonly entrance: E;
  readonly proxy: boolean;
}

export interface UnixListening<E extends string = string> {
  readonly kind: "unix";
  readonly entrance: E;
  readonly path: string;
}

/** Where the services `entrances` listen, with the offset on each port that is not left to the system. */
export function tcpListeningOf<E extends Service>(
  entrances: readonly E[],
  listeners: readonly Listener[],
  portOffset: number,
): TcpListening<E>[] {
  return entrances.flatMap((entrance) =>
    tcpListeners(listeners, entrance).map(({ host, port, proxy }) => ({
      kind: "tcp",
      entrance,
      proxy: proxy === true,
      host,
      port: port === 0 ? 0 : port + portOffset,
    }))
  );
}

/** The place alone, as a grant has it. */
export function placeOf(listening: Listening): string {
  return listening.kind === "unix" ? listening.path : netAddress(listening);
}

/** Whether only root may bind one of them. */
export function hasLowPort(listening: readonly Listening[]): boolean {
  return listening.some((one) => one.kind === "tcp" && one.port >= 1 && one.port <= 1023);
}

/** One place that is open. What it is for may change with the control files; the place stays. */
export interface Door<L extends Listening = Listening> {
  listening: L;
  readonly listener: Deno.TcpListener | Deno.UnixListener;
  /** How many have come in. */
  taken: number;
}

export interface BindOptions {
  /** Other processes of this component listen at the same addresses: for good, or until this one is ready. */
  readonly shared: boolean;
}

/** After a connection that could not be taken. */
const acceptAgainMs = 100;

/**
 * Opens a port so that a successor may open it beside this process. Answers undefined, and says so in the log, where the
 * machine has no such IPv6 address.
 */
export function openPort<L extends TcpListening>(listening: L, { shared }: BindOptions): Door<L> | undefined {
  const { host, port } = listening;
  try {
    // A shared port is opened beside anything of the same user. Whoever has no reason to share finds a stranger there.
    if (!shared && port !== 0) Deno.listen({ hostname: host, port }).close();
    return { listening, listener: Deno.listen({ hostname: host, port, reusePort: true }), taken: 0 };
  } catch (error) {
    const code = String((error as { code?: unknown }).code);
    // The second: the kernel has no IPv6 at all.
    if (!host.includes(":") || !["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(code)) throw error;
    logEvent("not-listening", { address: placeOf(listening), reason: code });
    return undefined;
  }
}

/**
 * Listens on a Unix socket, in the place of one that a dead process left there: for its owner and group. Answers
 * undefined, and says so in the log, where its folder is not there or belongs to somebody else: the ports are served all
 * the same.
 */
export function openSocket<L extends UnixListening>(listening: L): Door<L> | undefined {
  const { path } = listening;
  try {
    const found = ifThere(() => Deno.lstatSync(path));
    // Whatever else is there is not ours to remove.
    if (found !== undefined && found.isSocket !== true) throw new Error("there is something that is no socket");
    if (found !== undefined) Deno.removeSync(path);
    const listener = Deno.listen({ transport: "unix", path });
    Deno.chmodSync(path, 0o660);
    return { listening, listener, taken: 0 };
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    logEvent("not-listening", { address: path, reason: describeError(error) });
    return undefined;
  }
}

/** What the doors are for from now on; one whose line is gone stays what it was, for a restart is under way. */
export function relabel<L extends Listening>(doors: readonly Door<L>[], wanted: readonly L[]): void {
  const left = [...wanted];
  for (const door of doors) {
    const at = left.findIndex((one) => placeOf(one) === placeOf(door.listening));
    if (at >= 0) [door.listening] = left.splice(at, 1) as [L];
  }
}

/** Takes connections until the door is closed. */
export async function acceptAll(door: Door, onConn: (conn: Deno.Conn) => void): Promise<void> {
  for (;;) {
    try {
      const conn = await door.listener.accept();
      door.taken++;
      onConn(conn);
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
      // Out of descriptors, say: those in use come free, the client waits in the backlog.
      log(`alert: cannot accept a connection: ${describeError(error)}`);
      await new Promise((resolve) => setTimeout(resolve, acceptAgainMs));
    }
  }
}

const quietMs = 3;
const mostLooks = 100;

/**
 * Closes a door beside which a successor's stands open. Whoever the system has put into its queue by then it would reset, so
 * it is closed at a moment when nobody has come for a while; under a load that has no such moment, after 300 ms.
 */
export async function closeQuietDoor(door: Door): Promise<void> {
  for (let look = 0; look < mostLooks; look++) {
    const { taken } = door;
    await new Promise((resolve) => setTimeout(resolve, quietMs));
    // Once more around the loop: who is known to be there by now comes in first.
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (door.taken === taken) break;
  }
  door.listener.close();
}

/** "smtp", "smtp2", …, "submission", … with their ports, in the order of control/listeners. */
export function portsOf(doors: readonly Door[]): Record<string, number> {
  const counts = new Map<string, number>();
  const named: [string, number][] = [];
  for (const { listening: { entrance }, listener: { addr } } of doors) {
    if (addr.transport !== "tcp") continue;
    const count = (counts.get(entrance) ?? 0) + 1;
    counts.set(entrance, count);
    named.push([count === 1 ? entrance : `${entrance}${count}`, addr.port]);
  }
  return Object.fromEntries(named);
}
