/**
 * A POP3 client for tests: octets out, lines in, over TCP or TLS.
 * @module
 */
import { fromOctets, toOctets } from "../../components/lib/octets.ts";
import { within } from "../support/wait.ts";

const lineMs = 20_000;

export class Pop3Client implements Disposable {
  #conn: Deno.Conn;
  #held = "";

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  static async connect(port: number): Promise<Pop3Client> {
    return new Pop3Client(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** After STLS was answered: whatever the certificate is for, it has to be this one. */
  async startTls(certificate: string): Promise<void> {
    const conn = await Deno.startTls(this.#conn as Deno.TcpConn, { hostname: "localhost", caCerts: [certificate] });
    await conn.handshake();
    this.#conn = conn;
  }

  async send(octets: string): Promise<void> {
    const bytes = toOctets(octets);
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** The next line without its end; undefined when the server has closed. */
  line(): Promise<string | undefined> {
    return within(this.#line(), lineMs, () => `a line, after ${JSON.stringify(this.#held)}`);
  }

  async #line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#held.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#held.slice(0, end);
        this.#held = this.#held.slice(end + 2);
        return line;
      }
      const buffer = new Uint8Array(64 * 1024);
      const count = await this.#conn.read(buffer).catch(() => null);
      if (count === null) return undefined;
      this.#held += fromOctets(buffer.subarray(0, count));
    }
  }

  /** Says a line and answers the first one that comes back. */
  async ask(line: string): Promise<string | undefined> {
    await this.send(`${line}\r\n`);
    return await this.line();
  }

  /** The lines behind a +OK, up to the lone dot. */
  async lines(): Promise<string[]> {
    const found: string[] = [];
    for (let line = await this.line(); line !== "."; line = await this.line()) {
      if (line === undefined) throw new Error(`closed after ${found.length} lines`);
      found.push(line);
    }
    return found;
  }

  /** The greeting, USER and PASS; answers what PASS was answered. */
  async logIn(user: string, password: string): Promise<string | undefined> {
    await this.line();
    await this.ask(`USER ${user}`);
    return await this.ask(`PASS ${password}`);
  }

  /** Closes this side and answers what the server still says. */
  async finish(): Promise<readonly string[]> {
    await (this.#conn as Deno.TcpConn).closeWrite().catch(() => {});
    const found: string[] = [];
    for (let line = await this.line(); line !== undefined; line = await this.line()) found.push(line);
    this[Symbol.dispose]();
    return found;
  }

  [Symbol.dispose](): void {
    try {
      this.#conn.close();
    } catch {
      // Closed before.
    }
  }
}
