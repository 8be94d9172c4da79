/**
 * What the shells of all servers have in common: certificates with their warnings, and the time from the open doors to the
 * orderly end.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import type { Controls } from "../../../config/schema.ts";
import { log } from "../log/log.ts";
import type { Result } from "../result.ts";
import type { TlsContexts } from "../tls/contexts.ts";
import { readTlsContexts } from "../tls/files.ts";
import { acceptAll, closeQuietDoor, type Door, type Listening } from "./listening.ts";

/** So long a message waits for a qmail-queue that is being started, a login for auth, before a client is told to try again. */
export const queueAwayMs = 5000;

/** How long what is under way may go on after a stop. */
const stopMs = 1500;

/** And how long beside a successor: a large message over a slow line. */
const handOverMs = 60_000;

/** Reads the certificates; what is odd about them is logged. Undefined, and errors, as of {@link readTlsContexts}. */
export function readTls(
  home: Home,
  { tlsserverciphers }: Pick<Controls, "tlsserverciphers">,
): Result<TlsContexts | undefined, string[]> {
  const contexts = readTlsContexts(home, tlsserverciphers, Date.now());
  if (contexts.ok) { for (const warning of contexts.value?.warnings ?? []) log(`warning: ${warning}`); }
  return contexts;
}

/** Who takes a server's clients. */
export interface Receiving<L extends Listening> {
  onConn(listening: L, conn: Deno.Conn): void;
  /** To be called each second. */
  tick(): void;
  /** Lets what is under way be finished, for so long, and ends all the others. */
  stop(limitMs: number): Promise<void>;
  /** The same beside a successor: whoever was on the way in still comes in. */
  handOver(limitMs: number): Promise<void>;
}

/** Has everybody received who comes to the doors, until it is stopped. */
export function receiveAt<L extends Listening>(
  doors: readonly Door<L>[],
  reception: Receiving<L>,
): { stop(): Promise<void>; handOver(): Promise<void> } {
  const accepting = doors.map((door) => acceptAll(door, (conn) => reception.onConn(door.listening, conn)));
  const clock = setInterval(() => reception.tick(), 1000);
  return {
    stop: async () => {
      for (const { listener } of doors) listener.close();
      // Only then has the system closed the port.
      await Promise.all(accepting);
      await reception.stop(stopMs);
      clearInterval(clock);
    },
    handOver: async () => {
      await Promise.all(doors.map(closeQuietDoor));
      await Promise.all(accepting);
      await reception.handOver(handOverMs);
      clearInterval(clock);
    },
  };
}
