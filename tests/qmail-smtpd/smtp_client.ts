/**
 * A client of qmail-smtpd's tests: says what it is told to, whatever that is, and reads only when it is asked to, for
 * clients that do not read are among what is tested. (tests/support/smtp_client.ts reads all the time, and knows mails.)
 * @module
 */
import { fromOctets, toOctets } from "../../components/lib/octets.ts";

/** A client that reads line by line. Octet strings both ways. */
export class SmtpClient {
  #text = "";

  private constructor(readonly conn: Deno.TcpConn) {}

  static async connect(port: number, hostname: string): Promise<SmtpClient> {
    const conn = await Deno.connect({ hostname, port });
    conn.setNoDelay(true);
    return new SmtpClient(conn);
  }

  static async connectUnix(path: string): Promise<SmtpClient> {
    return new SmtpClient(await Deno.connect({ transport: "unix", path }) as unknown as Deno.TcpConn);
  }

  /** Over a connection that is there already. */
  static over(conn: Deno.TcpConn): SmtpClient {
    return new SmtpClient(conn);
  }

  send(octets: string): Promise<void> {
    return this.sendOctets(toOctets(octets));
  }

  async sendOctets(octets: Uint8Array): Promise<void> {
    for (let at = 0; at < octets.length;) at += await this.conn.write(octets.subarray(at));
  }

  /** The next line without its end; undefined once the server has closed. */
  async line(): Promise<string | undefined> {
    const buffer = new Uint8Array(16384);
    for (;;) {
      const end = this.#text.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return line;
      }
      const count = await this.conn.read(buffer).catch(() => null);
      if (count === null) return undefined;
      this.#text += fromOctets(buffer.subarray(0, count));
    }
  }

  /** The last line of the next reply. */
  async reply(): Promise<string | undefined> {
    for (;;) {
      const line = await this.line();
      if (line === undefined || line[3] !== "-") return line;
    }
  }

  /** Sends one command and answers the last line of its reply. */
  async say(command: string): Promise<string | undefined> {
    await this.send(`${command}\r\n`);
    return await this.reply();
  }

  /** Greeting, EHLO, MAIL, RCPT and DATA. */
  async untilContent(recipient = "joe@example.com"): Promise<void> {
    await this.send(`EHLO c.example\r\nMAIL FROM:<s@s.example>\r\nRCPT TO:<${recipient}>\r\nDATA\r\n`);
    for (const want of ["220", "250", "250", "250", "354"]) {
      const got = await this.reply();
      if (!got?.startsWith(want)) throw new Error(`expected ${want}, got ${got}`);
    }
  }

  /** Closes its own side and answers all that still comes. */
  async finish(): Promise<string[]> {
    await this.conn.closeWrite().catch(() => {});
    const lines: string[] = [];
    for (let line = await this.line(); line !== undefined; line = await this.line()) lines.push(line);
    this.close();
    return lines;
  }

  close(): void {
    try {
      this.conn.close();
    } catch {
      // Closed already.
    }
  }
}
