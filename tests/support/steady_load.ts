/**
 * Clients that come one after the other for as long as they are wanted, and write down what became of each: what was
 * accepted, what was refused and how, and what no server may do to a client (a connection refused, reset, or closed without
 * a word).
 * @module
 */
import { connect } from "node:net";
import { Buffer } from "node:buffer";
import { type Reply, SmtpClient } from "./smtp_client.ts";
import { waitFor } from "./wait.ts";

/** How a client comes to the server. */
export type Way = "smtp" | "starttls" | "submissions" | "qmtp" | "qmqp" | "pop3";

export interface LoadOptions {
  readonly way: Way;
  readonly port: number;
  /** How many clients at a time. */
  readonly clients: number;
  readonly recipient: string;
  /** Octets of each message's text; default 2000. */
  readonly textBytes?: number;
  /** Of each connection; default 3. */
  readonly messages?: number;
  /** Who logs in, and how. */
  readonly login?: { readonly name: string; readonly password: string };
}

/** A refusal: the command it was the reply to, and the reply. */
export interface Refused {
  readonly way: Way;
  readonly command: string;
  readonly code: number;
  readonly text: string;
}

/** The other side ended it where its protocol has no end. */
export interface Broken {
  readonly way: Way;
  /** What the client was doing. */
  readonly at: string;
  /** It had heard nothing yet. */
  readonly atOnce: boolean;
  readonly reason: string;
}

/** Between two connections of a client. */
const pauseMs = 15;
let runs = 0;

export class SteadyLoad {
  /** The tags of accepted messages: a line `X-Tag: TAG` of each. */
  readonly accepted = new Set<string>();
  readonly refused: Refused[] = [];
  readonly broken: Broken[] = [];
  /** Sessions that came to their own end. */
  sessions = 0;
  readonly #run = ++runs;
  readonly #clients: Promise<void>[] = [];
  #next = 0;
  #stopping = false;

  /** Begins; goes on until {@link stop}. */
  add(options: LoadOptions): this {
    for (let client = 0; client < options.clients; client++) this.#clients.push(this.#loop(options));
    return this;
  }

  /** Settles when clients have come and gone for a while. */
  async goOn(): Promise<void> {
    const { sessions } = this;
    await waitFor(() => this.sessions > sessions + 30, "sessions to go on");
  }

  /** Lets what is under way come to its end. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#clients);
  }

  async #loop(options: LoadOptions): Promise<void> {
    while (!this.#stopping) {
      await session(this, options);
      // The servers are to have something to do; the rest of the machine, too.
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  /** A tag no other message has. */
  tag(): string {
    return `load-${this.#run}-${++this.#next}`;
  }
}

function session(load: SteadyLoad, options: LoadOptions): Promise<void> {
  switch (options.way) {
    case "smtp":
    case "starttls":
    case "submissions":
      return smtpSession(load, options);
    case "qmtp":
    case "qmqp":
      return netstringSession(load, options);
    case "pop3":
      return popSession(load, options);
  }
}

function content(tag: string, textBytes: number): string {
  return `X-Tag: ${tag}\nSubject: load\n\n${`${"x".repeat(70)}\n`.repeat(Math.ceil(textBytes / 71))}`;
}

async function smtpSession(load: SteadyLoad, options: LoadOptions): Promise<void> {
  const { way, port, recipient, textBytes = 2000, messages = 3, login } = options;
  let at = "connect";
  let atOnce = true;
  using client = way === "submissions" ? SmtpClient.overTls(port) : SmtpClient.open(port);
  /** Whether the dialogue goes on. */
  const isWanted = (command: string, reply: Reply, wanted: number): boolean => {
    if (reply.code === wanted) return true;
    load.refused.push({ way, command, code: reply.code, text: reply.lines.join(" / ") });
    return false;
  };
  try {
    if (!isWanted(at, await client.reply(), 220)) return;
    atOnce = false;
    const says = async (command: string, wanted = 250): Promise<boolean> => {
      at = command.slice(0, 4);
      return isWanted(at, await client.command(command), wanted);
    };
    if (!await says("EHLO load.example")) return;
    if (way === "starttls") {
      at = "STARTTLS";
      if (!isWanted(at, await client.startTls(), 220) || !await says("EHLO load.example")) return;
    }
    if (login !== undefined) {
      const response = btoa(`\0${login.name}\0${login.password}`);
      at = "AUTH";
      if (!isWanted(at, await client.command(`AUTH PLAIN ${response}`), 235)) return;
    }
    for (let count = 0; count < messages; count++) {
      const tag = load.tag();
      if (!await says(`MAIL FROM:<${login?.name ?? "load@example.org"}>`)) return;
      if (!await says(`RCPT TO:<${recipient}>`)) {
        if (load.refused.at(-1)!.code === 421) return;
        await says("RSET");
        continue;
      }
      if (!await says("DATA", 354)) return;
      const octets = Buffer.from(`${content(tag, textBytes).replaceAll("\n", "\r\n")}.\r\n`, "latin1");
      at = "content";
      const half = octets.length >> 1;
      client.write(octets.subarray(0, half));
      await new Promise((resolve) => setTimeout(resolve, 2));
      client.write(octets.subarray(half));
      if (isWanted(at, await client.reply(), 250)) load.accepted.add(tag);
      else if (load.refused.at(-1)!.code === 421) return;
    }
    at = "QUIT";
    isWanted(at, await client.command("QUIT"), 221);
    load.sessions++;
  } catch (error) {
    load.broken.push({ way, at, atOnce, reason: error instanceof Error ? error.message : String(error) });
  }
}

const netstring = (text: string) => `${text.length}:${text},`;

/** QMTP: several messages a connection; QMQP: one. */
async function netstringSession(load: SteadyLoad, options: LoadOptions): Promise<void> {
  const { way, port, recipient, textBytes = 2000, messages = 3 } = options;
  const line = new Line(port);
  let at = "connect";
  let atOnce = true;
  try {
    for (let count = 0; count < (way === "qmqp" ? 1 : messages); count++) {
      const tag = load.tag();
      const text = content(tag, textBytes);
      at = "message";
      line.write(
        way === "qmtp"
          ? netstring(`\n${text}`) + netstring("load@example.org") + netstring(netstring(recipient))
          : netstring(netstring(text) + netstring("load@example.org") + netstring(recipient)),
      );
      const answer = await line.netstring();
      atOnce = false;
      if (answer.startsWith("K")) load.accepted.add(tag);
      else load.refused.push({ way, command: at, code: answer.startsWith("Z") ? 451 : 554, text: answer });
    }
    load.sessions++;
  } catch (error) {
    load.broken.push({ way, at, atOnce, reason: error instanceof Error ? error.message : String(error) });
  } finally {
    line.close();
  }
}

async function popSession(load: SteadyLoad, { way, port }: LoadOptions): Promise<void> {
  const line = new Line(port);
  let at = "connect";
  let atOnce = true;
  try {
    for (const command of ["", "CAPA", "NOOP", "QUIT"]) {
      at = command === "" ? "greeting" : command;
      if (command !== "") line.write(`${command}\r\n`);
      const answer = await line.line();
      atOnce = false;
      if (command === "CAPA") { while (await line.line() !== ".") { /* the list */ } }
      if (command !== "NOOP" && !answer.startsWith("+OK")) {
        load.refused.push({ way, command: at, code: 0, text: answer });
        return;
      }
    }
    load.sessions++;
  } catch (error) {
    load.broken.push({ way, at, atOnce, reason: error instanceof Error ? error.message : String(error) });
  } finally {
    line.close();
  }
}

/** A connection whose answers are taken one by one. */
class Line {
  readonly #socket;
  #held = "";
  #ended: Error | undefined;
  #wake = () => {};

  constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1" });
    this.#socket.on("data", (chunk: Buffer) => {
      this.#held += chunk.toString("latin1");
      this.#wake();
    });
    const end = (error: Error) => {
      this.#ended ??= error;
      this.#wake();
    };
    this.#socket.on("error", end);
    this.#socket.on("close", () => end(new Error("the server closed the connection")));
  }

  write(octets: string): void {
    this.#socket.write(Buffer.from(octets, "latin1"));
  }

  line(): Promise<string> {
    return this.#take((held) => {
      const end = held.indexOf("\r\n");
      return end < 0 ? undefined : [held.slice(0, end), end + 2];
    });
  }

  netstring(): Promise<string> {
    return this.#take((held) => {
      const colon = held.indexOf(":");
      const length = Number(held.slice(0, Math.max(0, colon)));
      if (colon < 0 || held.length < colon + length + 2) return undefined;
      return [held.slice(colon + 1, colon + 1 + length), colon + length + 2];
    });
  }

  async #take(cut: (held: string) => readonly [string, number] | undefined): Promise<string> {
    for (;;) {
      const found = cut(this.#held);
      if (found !== undefined) {
        this.#held = this.#held.slice(found[1]);
        return found[0];
      }
      if (this.#ended !== undefined) throw this.#ended;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}
