/**
 * A client that sends octets and hears what comes.
 * @module
 */
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { within } from "../support/wait.ts";

const limitMs = 20_000;

/** Sends octets of an octet string; a server that has closed meanwhile needs no more of them. */
export async function send(conn: Deno.Conn, octets: string): Promise<void> {
  const rest = toOctets(octets);
  try {
    for (let at = 0; at < rest.length;) at += await conn.write(rest.subarray(at));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset) return;
    throw error;
  }
}

/** All that comes until the server closes. */
export function hearAll(conn: Deno.Conn): Promise<string> {
  return within(readAll(conn), limitMs, () => "the server to close");
}

async function readAll(conn: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(4096);
  let heard = "";
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return heard;
    heard += fromOctets(buffer.subarray(0, count));
  }
}

/** What comes until there are so many octets. */
export async function hear(conn: Deno.Conn, isEnough: (heard: string) => boolean): Promise<string> {
  const buffer = new Uint8Array(4096);
  let heard = "";
  const read = async () => {
    while (!isEnough(heard)) {
      const count = await conn.read(buffer);
      if (count === null) throw new Error(`the server closed behind ${JSON.stringify(heard)}`);
      heard += fromOctets(buffer.subarray(0, count));
    }
    return heard;
  };
  return await within(read(), limitMs, () => `more than ${JSON.stringify(heard)}`);
}
