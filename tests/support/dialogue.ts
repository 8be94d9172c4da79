/**
 * Dialogues over streams of any kind: Unix sockets, TLS, STARTTLS.
 * @module
 */
import { assertEquals } from "@std/assert";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { within } from "./wait.ts";

/** A dialogue of lines over any stream: says `lines` one after the other, each when the last, or the greeting, was answered. */
export async function talk(socket: Socket, lines: readonly string[], { greets = true } = {}): Promise<string[]> {
  const replies: string[] = [];
  let held = "";
  const done = new Promise<void>((resolve, reject) => {
    const left = [...lines];
    if (!greets) socket.write(`${left.shift()}\r\n`);
    socket.on("error", reject);
    socket.on("close", () => resolve());
    socket.on("data", (chunk) => {
      held += chunk.toString("latin1");
      const end = /^[0-9]{3} .*\r\n$/m.exec(held);
      if (end === null || !held.endsWith(end[0])) return;
      replies.push(held.trimEnd());
      held = "";
      const next = left.shift();
      if (next === undefined) socket.destroy();
      else socket.write(`${next}\r\n`);
    });
  });
  await within(done, 10_000, () => `the end of a dialogue, after ${replies.join(" / ")}`).finally(() =>
    socket.destroy()
  );
  return replies;
}

export function codes(replies: readonly string[]): string[] {
  return replies.map((reply) => reply.split("\r\n").at(-1)!.slice(0, 3));
}

/** TLS over a connection, whatever the certificate is. */
export async function encrypted(socket: Socket): Promise<Socket> {
  const secured = connectTls({ socket, rejectUnauthorized: false });
  await new Promise<void>((resolve, reject) => secured.once("secureConnect", resolve).once("error", reject));
  return secured;
}

/** The codes of the replies to `lines`, said over TLS at a port with STARTTLS. */
export async function submit(port: number, lines: readonly string[]): Promise<string[]> {
  const socket = connect(port, "127.0.0.1");
  const greeted = await firstReplies(socket, ["EHLO c.example", "STARTTLS"]);
  assertEquals(greeted, ["220", "250", "220"]);
  return codes(await talk(await encrypted(socket), lines, { greets: false }));
}

/** As {@link talk}, without an end. */
async function firstReplies(socket: Socket, lines: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const line of [undefined, ...lines]) {
    if (line !== undefined) socket.write(`${line}\r\n`);
    const reply = new Promise<string>((resolve, reject) => {
      let held = "";
      const take = (chunk: { toString(encoding: string): string }) => {
        held += chunk.toString("latin1");
        if (!/(?:^|\n)[0-9]{3} [^\n]*\r\n$/.test(held)) return;
        socket.off("data", take);
        resolve(held.trimEnd());
      };
      socket.on("data", take).once("error", reject);
    });
    found.push(await within(reply, 10_000, () => `the reply to ${line}`));
  }
  return codes(found);
}
