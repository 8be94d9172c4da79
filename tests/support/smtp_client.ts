/**
 * A small SMTP client for tests: says what it is told, answers what it heard, hides nothing.
 * @module
 */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { within } from "./wait.ts";

export interface Reply {
  readonly code: number;
  /** Its lines without code and line end. */
  readonly lines: readonly string[];
}

export interface Mail {
  /** Reverse-path without brackets; "" for the null one. */
  readonly from: string;
  readonly to: readonly string[];
  /** Octet string or octets; lines may end in LF or CRLF. Dots are stuffed here. */
  readonly content: string | Uint8Array;
}

/** What was answered to a mail's commands, as far as they were said. */
export interface MailReplies {
  readonly mail: Reply;
  readonly recipients: readonly Reply[];
  readonly data?: Reply;
  /** To the message itself. */
  readonly end?: Reply;
}

const replyMs = 15_000;

/** `line` ends the way SMTP wants it, dots are doubled, the last line is `.`. */
function stuffed(content: string | Uint8Array): Buffer {
  const text = typeof content === "string" ? content : Buffer.from(content).toString("latin1");
  const lines = text.replaceAll("\r\n", "\n").replace(/\n$/, "").split("\n");
  const dotted = lines.map((line) => line.startsWith(".") ? `.${line}` : line);
  return Buffer.from(`${dotted.join("\r\n")}\r\n.\r\n`, "latin1");
}

export class SmtpClient implements Disposable {
  #socket: Socket;
  readonly #replies: Reply[] = [];
  readonly #waiting: { readonly resolve: (reply: Reply) => void; readonly reject: (error: Error) => void }[] = [];
  #held = "";
  #lines: string[] = [];
  #closed: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#attach(socket);
  }

  #attach(socket: Socket): void {
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#take(chunk.toString("latin1")));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(new Error("the server closed the connection")));
  }

  /** One over TLS from the first octet; any certificate will do. Nothing was heard yet. */
  static overTls(port: number, host = "127.0.0.1"): SmtpClient {
    return new SmtpClient(connectTls({ port, host, rejectUnauthorized: false }));
  }

  /** Says STARTTLS and goes on over TLS where the reply is 220; any certificate will do. */
  async startTls(): Promise<Reply> {
    const reply = await this.command("STARTTLS");
    if (reply.code !== 220) return reply;
    this.#socket.removeAllListeners("data");
    this.#socket.removeAllListeners("close");
    this.#socket = connectTls({ socket: this.#socket, rejectUnauthorized: false });
    this.#attach(this.#socket);
    return reply;
  }

  /** One in the clear, of which nothing was heard yet. */
  static open(port: number, host = "127.0.0.1"): SmtpClient {
    return new SmtpClient(connect({ port, host }));
  }

  /** Connects (from `localAddress`), waits for the greeting, and says EHLO with `helo` (`undefined`: nothing yet). */
  static async connect(
    port: number,
    { host = "127.0.0.1", localAddress, helo = "client.example" }: {
      host?: string;
      localAddress?: string;
      helo?: string | undefined;
    } = {},
  ): Promise<SmtpClient> {
    const client = new SmtpClient(connect({ port, host, ...(localAddress === undefined ? {} : { localAddress }) }));
    const greeting = await client.reply();
    if (greeting.code !== 220) throw new Error(`greeted with ${greeting.code} ${greeting.lines.join(" ")}`);
    if (helo !== undefined) await client.command(`EHLO ${helo}`);
    return client;
  }

  /** The next reply that nobody has taken. Rejects when the connection ends first. */
  reply(): Promise<Reply> {
    const ready = this.#replies.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const next = new Promise<Reply>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    return within(next, replyMs, () => "a reply");
  }

  /** Writes octets as they are. */
  write(octets: string | Uint8Array): void {
    this.#socket.write(typeof octets === "string" ? Buffer.from(octets, "latin1") : octets);
  }

  /** Says a line and answers the reply to it. */
  command(line: string): Promise<Reply> {
    this.write(`${line}\r\n`);
    return this.reply();
  }

  /**
   * One whole transaction; stops where the server does not want it. The replies to the recipients are put into
   * `recipients` as they come, to be known also where the connection breaks later.
   */
  async send({ from, to, content }: Mail, recipients: Reply[] = []): Promise<MailReplies> {
    const mail = await this.command(`MAIL FROM:<${from}>`);
    if (mail.code !== 250) return { mail, recipients };
    for (const recipient of to) recipients.push(await this.command(`RCPT TO:<${recipient}>`));
    if (!recipients.some(({ code }) => code === 250)) {
      await this.command("RSET");
      return { mail, recipients };
    }
    const data = await this.command("DATA");
    if (data.code !== 354) return { mail, recipients, data };
    this.write(stuffed(content));
    return { mail, recipients, data, end: await this.reply() };
  }

  /** QUIT and its reply. */
  async quit(): Promise<Reply> {
    const reply = await this.command("QUIT");
    this.close();
    return reply;
  }

  close(): void {
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #take(text: string): void {
    this.#held += text;
    for (let end = this.#held.indexOf("\n"); end >= 0; end = this.#held.indexOf("\n")) {
      const line = this.#held.slice(0, end).replace(/\r$/, "");
      this.#held = this.#held.slice(end + 1);
      this.#lines.push(line.slice(4));
      if (line[3] === "-") continue;
      const reply = { code: Number(line.slice(0, 3)), lines: this.#lines };
      this.#lines = [];
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#replies.push(reply);
      else waiting.resolve(reply);
    }
  }

  #end(error: Error): void {
    this.#closed ??= error;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#closed);
  }
}

/** Sends one mail over a connection of its own; throws unless every recipient and the message were accepted. */
export async function sendMail(port: number, mail: Mail): Promise<void> {
  using client = await SmtpClient.connect(port);
  const replies = await client.send(mail);
  const all = [replies.mail, ...replies.recipients, ...(replies.end === undefined ? [] : [replies.end])];
  const refused = all.find(({ code }) => code !== 250);
  if (refused !== undefined || replies.end === undefined) {
    throw new Error(`the mail was not accepted: ${refused?.code} ${refused?.lines.join(" / ")}`);
  }
  await client.quit();
}
