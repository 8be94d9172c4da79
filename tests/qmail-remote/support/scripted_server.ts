/**
 * A server that does to each client what a script says. Scripts end, and connections with them, when the client is gone.
 * @module
 */
import { Buffer } from "node:buffer";
import type { TlsGate } from "./tls_gate.ts";

/** One connection in the hands of a script. Octet strings throughout. */
export class Talk {
  readonly #conn: Deno.Conn;
  readonly #left: Promise<void> | undefined;
  #held = "";

  /** `left`: of one inside TLS, see {@link TlsGate}. */
  constructor(conn: Deno.Conn, left?: Promise<void>) {
    this.#conn = conn;
    this.#left = left;
  }

  async say(text: string): Promise<void> {
    const octets = Buffer.from(text, "latin1");
    for (let at = 0; at < octets.length;) at += await this.#conn.write(octets.subarray(at));
  }

  /** All octets through `end`; `undefined` once the client is gone. */
  async through(end: string): Promise<string | undefined> {
    const buffer = new Uint8Array(65_536);
    let from = 0;
    for (;;) {
      const at = this.#held.indexOf(end, from);
      if (at >= 0) {
        const taken = this.#held.slice(0, at + end.length);
        this.#held = this.#held.slice(at + end.length);
        return taken;
      }
      from = Math.max(0, this.#held.length - end.length);
      const count = await this.#conn.read(buffer).catch(() => null);
      if (count === null) return undefined;
      this.#held += Buffer.from(buffer.subarray(0, count)).toString("latin1");
    }
  }

  /** A line without its CRLF. */
  async line(): Promise<string | undefined> {
    return (await this.through("\r\n"))?.slice(0, -2);
  }

  /** Content with its final dot. */
  async content(): Promise<string | undefined> {
    const empty = ".\r\n";
    while (this.#held.length < empty.length) if (!await this.#more()) return undefined;
    if (this.#held.startsWith(empty)) return await this.through(empty);
    return await this.through("\r\n.\r\n");
  }

  /** Waits until the client is gone; answers what it said until then, before what was not read yet. */
  async remainder(): Promise<string> {
    while (await this.#more()) { /* on */ }
    return this.#held;
  }

  /** As many octets; `undefined` once the client is gone. */
  async octets(count: number): Promise<string | undefined> {
    while (this.#held.length < count) if (!await this.#more()) return undefined;
    const taken = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    return taken;
  }

  /** Waits until the client has said something, and takes it. */
  async some(): Promise<void> {
    if (this.#held === "") await this.#more();
    this.#held = "";
  }

  /** TLS from here on: another talk, inside it; undefined where the client does not come. */
  async secured(gate: TlsGate): Promise<Talk | undefined> {
    const passed = await gate.pass(this.#conn, Buffer.from(this.#held, "latin1"));
    return passed === undefined ? undefined : new Talk(passed.inner, passed.left);
  }

  /** Waits for the client to speak, and closes without having read it: TCP answers that with a reset. */
  async reset(): Promise<void> {
    await this.#conn.read(new Uint8Array(1)).catch(() => null);
    this.close();
  }

  /** Closes once all that was said has left. */
  async end(): Promise<void> {
    await this.#conn.closeWrite().catch(() => {});
    this.close();
    await this.#left;
  }

  async #more(): Promise<boolean> {
    const buffer = new Uint8Array(65_536);
    const count = await this.#conn.read(buffer).catch(() => null);
    if (count !== null) this.#held += Buffer.from(buffer.subarray(0, count)).toString("latin1");
    return count !== null;
  }

  close(): void {
    try {
      this.#conn.close();
    } catch {
      // Closed already.
    }
  }
}

export type Script = (talk: Talk) => Promise<void>;

export class ScriptedServer {
  readonly #listener: Deno.TcpListener;
  readonly #talks = new Set<Talk>();
  readonly #running = new Set<Promise<void>>();
  /** What the next connections meet. */
  script: Script = acceptEverything();
  connections = 0;

  constructor(hostname = "127.0.0.1", port = 0) {
    this.#listener = Deno.listen({ hostname, port });
    void this.#acceptAll();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Settles when every script has ended. */
  async quiet(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Ends every connection, and settles when their scripts have ended. */
  async hangUp(): Promise<void> {
    for (const talk of this.#talks) talk.close();
    await this.quiet();
  }

  async stop(): Promise<void> {
    this.#listener.close();
    await this.hangUp();
  }

  async #acceptAll(): Promise<void> {
    for await (const conn of this.#listener) {
      this.connections++;
      conn.setNoDelay(true);
      const talk = new Talk(conn);
      this.#talks.add(talk);
      const running = this.script(talk).catch(() => {}).finally(() => {
        talk.close();
        this.#talks.delete(talk);
        this.#running.delete(running);
      });
      this.#running.add(running);
    }
  }
}

/** A message as a server took it. */
export interface Taken {
  readonly sender: string;
  readonly recipients: readonly string[];
  /** As on the wire, final dot included. */
  readonly content: string;
}

/** A server that takes all mail, and keeps it in `taken`. */
export function acceptEverything(
  taken: Taken[] = [],
  extensions: readonly string[] = ["PIPELINING"],
  greets = true,
): Script {
  return async (talk) => {
    if (greets) await talk.say("220 mx.example ESMTP\r\n");
    let sender = "";
    let recipients: string[] = [];
    for (let line = await talk.line(); line !== undefined; line = await talk.line()) {
      const verb = line.slice(0, 4).toUpperCase();
      if (verb === "EHLO") {
        const lines = ["mx.example", ...extensions];
        await talk.say(lines.map((text, at) => `250${at < lines.length - 1 ? "-" : " "}${text}\r\n`).join(""));
      } else if (verb === "DATA") {
        await talk.say("354 go\r\n");
        const content = await talk.content();
        if (content === undefined) return;
        taken.push({ sender, recipients, content });
        await talk.say(`250 taken ${taken.length}\r\n`);
      } else if (verb === "QUIT") {
        await talk.say("221 bye\r\n");
        return;
      } else {
        if (verb === "MAIL") [sender, recipients] = [line.slice(10), []];
        if (verb === "RCPT") recipients.push(line.slice(8));
        await talk.say("250 ok\r\n");
      }
    }
  };
}
