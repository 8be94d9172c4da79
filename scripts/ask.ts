/**
 * One question to the supervisor of a home.
 * @module
 */
import type { Home, SocketName } from "../config/home.ts";
import { Client } from "../components/lib/wire/client.ts";
import type { RawHead } from "../components/lib/wire/frame.ts";

/** Sends `request` and answers the reply's fields. Rejects when no supervisor runs there. */
export async function askSupervisor(home: Home, request: object, socket: SocketName = "supervisor"): Promise<RawHead> {
  const client = new Client(home.socket(socket), { connectMs: 0 });
  try {
    return (await client.request(request)).head;
  } finally {
    client.close();
  }
}
