/**
 * A server that takes all mail, and counts. What came in one piece it answers in one piece, so that the client's reads are
 * as many as its writes that are answered.
 * @module
 */
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";

const dot = "\r\n.\r\n";

export class CountedServer implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #conns = new Set<Deno.Conn>();
  readonly #running = new Set<Promise<void>>();
  /** Commands by verb; a connection counts as none. */
  readonly commands: string[] = [];
  /** Messages taken. */
  taken = 0;
  readonly #extensions: readonly string[];

  constructor(hostname: string, extensions: readonly string[] = ["PIPELINING", "8BITMIME"]) {
    this.#listener = Deno.listen({ hostname, port: 0 });
    this.#extensions = extensions;
    void this.#acceptAll();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #acceptAll(): Promise<void> {
    for await (const conn of this.#listener) {
      this.#conns.add(conn);
      conn.setNoDelay(true);
      const running = this.#serve(conn).catch(() => {}).finally(() => {
        this.#conns.delete(conn);
        this.#running.delete(running);
        try {
          conn.close();
        } catch {
          // Closed by the end of the test.
        }
      });
      this.#running.add(running);
    }
  }

  async #serve(conn: Deno.Conn): Promise<void> {
    await write(conn, "220 mx.example ESMTP\r\n");
    const buffer = new Uint8Array(256 * 1024);
    let held = "";
    let inContent = false;
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) return;
      held += fromOctets(buffer.subarray(0, count));
      let replies = "";
      for (;;) {
        const end = held.indexOf(inContent ? dot : "\r\n");
        if (end < 0) break;
        const line = held.slice(0, end);
        held = held.slice(end + (inContent ? dot.length : 2));
        if (inContent) this.taken++;
        replies += inContent ? "250 2.0.0 taken\r\n" : this.#answer(line);
        inContent = !inContent && line === "DATA";
      }
      if (replies !== "") await write(conn, replies);
      if (replies.startsWith("221")) return;
    }
  }

  #answer(line: string): string {
    const verb = line.slice(0, 4).toUpperCase();
    this.commands.push(verb);
    switch (verb) {
      case "EHLO": {
        const lines = ["mx.example", ...this.#extensions];
        return lines.map((text, at) => `250${at < lines.length - 1 ? "-" : " "}${text}\r\n`).join("");
      }
      case "DATA":
        return "354 go\r\n";
      case "QUIT":
        return "221 bye\r\n";
      default:
        return "250 2.0.0 ok\r\n";
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) conn.close();
    await Promise.all(this.#running);
  }
}

async function write(conn: Deno.Conn, text: string): Promise<void> {
  const octets = toOctets(text);
  for (let at = 0; at < octets.length;) at += await conn.write(octets.subarray(at));
}
