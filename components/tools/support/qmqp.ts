/**
 * Hands one message to the first server that can be reached, over QMQP. The next is tried only where connecting fails: a
 * server that was reached may have the message.
 * @module
 */
import type { Endpoint } from "../../../config/values.ts";
import { AnswerReader, type QmqpFrame } from "../../lib/qmtp/qmqp_client.ts";
import { exitCode } from "../../lib/queue/exit_code.ts";

/** qmail's numbers. */
export interface QmqpLimits {
  readonly connectMs: number;
  /** Of each wait for the server. */
  readonly waitMs: number;
}
export const usualLimits: QmqpLimits = { connectMs: 10_000, waitMs: 60_000 };

/** Octets of one write at the most: each has to leave within the limit. */
const pieceBytes = 64 * 1024;

/** Answers qmail-queue's exit code. */
export async function handOver(
  servers: readonly Endpoint[],
  { head, tail }: QmqpFrame,
  message: readonly Uint8Array[],
  limits: QmqpLimits = usualLimits,
): Promise<number> {
  let code: number = exitCode.configuration;
  for (const server of servers) {
    const conn = await connect(server, limits.connectMs);
    if (typeof conn === "number") {
      code = conn;
      continue;
    }
    try {
      return await converse(conn, [head, ...message, tail], limits.waitMs);
    } catch {
      return exitCode.connectionLost;
    } finally {
      closeQuietly(conn);
    }
  }
  return code;
}

/** A connection, or the exit code for there being none. */
async function connect({ host, port }: Endpoint, limitMs: number): Promise<Deno.TcpConn | number> {
  const connecting = Deno.connect({ hostname: host, port });
  try {
    const conn = await within(connecting, limitMs);
    if (conn !== undefined) return conn;
    // Its connection may come about all the same.
    void connecting.then(closeQuietly, () => {});
    return exitCode.connectTimeout;
  } catch (error) {
    // A server that came into the file after the grant was made.
    if (error instanceof Deno.errors.NotCapable) return exitCode.configuration;
    if (error instanceof Deno.errors.TimedOut) return exitCode.connectTimeout;
    return error instanceof Deno.errors.ConnectionRefused ? exitCode.connectRefused : exitCode.network;
  }
}

/** Sends all and reads the answer, which may come before all has been sent; rejects where the server is lost. */
async function converse(conn: Deno.TcpConn, pieces: readonly Uint8Array[], waitMs: number): Promise<number> {
  const answer = readAnswer(conn);
  answer.catch(() => {});
  try {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length;) {
        const part = piece.subarray(at, at + pieceBytes);
        at += await within(conn.write(part), waitMs) ?? lost("no octets were taken in time");
      }
    }
  } catch (error) {
    // A server that says no before it has read all says so, and closes.
    const early = await within(answer, waitMs).catch(() => undefined);
    if (early === undefined || early === exitCode.queued) throw error;
    return early;
  }
  return await within(answer, waitMs) ?? lost("no answer in time");
}

async function readAnswer(conn: Deno.TcpConn): Promise<number> {
  const reader = new AnswerReader();
  const buffer = new Uint8Array(256);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return lost("no answer");
    const code = reader.push(buffer.subarray(0, count));
    if (code !== undefined) return code;
  }
}

function lost(why: string): never {
  throw new Error(why);
}

/** Undefined: it took longer. */
async function within<T>(promise: Promise<T>, limitMs: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => timer = setTimeout(resolve, limitMs, undefined));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function closeQuietly(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // Its other end was quicker.
  }
}
