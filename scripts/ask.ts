/**
 * One question to the supervisor of a home, or to another of its components.
 * @module
 */
import type { Home, SocketName } from "../config/home.ts";
import { Client } from "../components/lib/wire/client.ts";
import type { Frame, RawHead } from "../components/lib/wire/frame.ts";

/** Sends `request` and answers the reply's fields. Rejects when no supervisor runs there. */
export async function askSupervisor(home: Home, request: object, socket: SocketName = "supervisor"): Promise<RawHead> {
  return (await askSocket(home, request, socket)).head;
}

/** What a component says of itself, as `parse` reads it. Rejects when it does not run, and with ProtocolError. */
export async function askStatus<T>(home: Home, socket: SocketName, parse: (reply: Frame) => T): Promise<T> {
  return parse(await askSocket(home, { op: "status" }, socket));
}

/**
 * Has the supervisor start whoever serves `socket`, if that one is asleep. Whether it could be asked, and somebody listens
 * there now.
 */
export async function wake(home: Home, socket: SocketName): Promise<boolean> {
  const client = new Client(home.socket(socket));
  try {
    await askSupervisor(home, { op: "needs", socket: home.socket(socket) });
    return await client.connect() !== undefined;
  } catch {
    return false;
  } finally {
    client.close();
  }
}

async function askSocket(home: Home, request: object, socket: SocketName): Promise<Frame> {
  const client = new Client(home.socket(socket), { connectMs: 0 });
  try {
    return await client.request(request);
  } finally {
    client.close();
  }
}
