/**
 * An SMTP session with the one who started the program: octets in, replies out, messages into a queue. Trusted as qmail
 * trusts a local connection: every recipient is taken (what does not exist bounces), and no size is too large. Syntax,
 * limits of lines and errors, and what ends a message are the server's (lib/smtp).
 * @module
 */
import { formatMailbox } from "../../lib/address/mailbox.ts";
import { smtpReceived } from "../../lib/message/received.ts";
import { toOctets } from "../../lib/octets.ts";
import type { Envelope } from "../../lib/queue/envelope.ts";
import { parseCommand } from "../../lib/smtp/command.ts";
import { IncomingMessage, type IntoQueue } from "../../lib/smtp/incoming_message.ts";
import { LineReader } from "../../lib/smtp/line_reader.ts";
import {
  farewells,
  greet,
  newSession,
  onCommand,
  onContentEnd,
  onLongLine,
  onVerdict,
  type Session,
  type Settings,
  type Step,
} from "../../lib/smtp/server_session.ts";

/** The descriptors. */
export interface LocalClient {
  /** The next octets, which nobody else uses again; `undefined` at the end. */
  read(): Promise<Uint8Array | undefined>;
  /** Writes an octet string. */
  write(replies: string): Promise<void>;
}

export interface LocalService {
  /** This host's name. */
  readonly me: string;
  /** Begins a message. */
  readonly begin: () => IntoQueue;
  /** Unix time in ms. */
  readonly now: () => number;
  /** How long the client may take for its next octets, and to read what it was told. */
  readonly idleMs: number;
}

/** How a session ended; `gone`: the client closed its side, or does not read. */
export type SessionEnd = "quit" | "cut off" | "gone" | "silent";

/** The client took longer than it may. */
class Silence extends Error {}

/** What the Received field says of the client, in qmail's words: nobody looked at its address, for it has none. */
const client = { remoteHost: "sendmail-bs@localhost", remoteIp: "127.0.0.1" };

/** Carries it out. A message that came to no end leaves nothing in the queue. Rejects where reading fails. */
export async function serveLocalClient(peer: LocalClient, service: LocalService): Promise<SessionEnd> {
  return await new LocalSession(peer, service).run();
}

class LocalSession {
  readonly #peer: LocalClient;
  readonly #service: LocalService;
  readonly #settings: Settings;
  readonly #lines = new LineReader();
  #session: Session = newSession;
  #message: IncomingMessage | undefined;
  #replies: string;
  #end: SessionEnd | undefined;

  constructor(peer: LocalClient, service: LocalService) {
    this.#peer = peer;
    this.#service = service;
    this.#settings = { greeting: service.me, databytes: 0 };
    this.#replies = greet(this.#settings);
  }

  async run(): Promise<SessionEnd> {
    try {
      // Replies leave when there is nothing more to take (RFC 2920 §3.2).
      while (await this.#flush() && this.#end === undefined) {
        const chunk = await this.#inTime(this.#peer.read());
        if (chunk === undefined) return "gone";
        this.#lines.push(chunk);
        while (this.#end === undefined && await this.#take());
      }
      return this.#end ?? "gone";
    } catch (error) {
      if (!(error instanceof Silence)) throw error;
      this.#replies += farewells.timeout;
      await this.#flush().catch(() => {});
      return "silent";
    } finally {
      this.#message?.abort();
    }
  }

  /** Takes a command, or content; whether there was one. */
  async #take(): Promise<boolean> {
    if (this.#message !== undefined) return await this.#takeContent(this.#message);
    const line = this.#lines.takeLine();
    if (line === undefined) return false;
    this.#perform(
      line.kind === "line"
        ? onCommand(this.#session, parseCommand(line.text), this.#settings)
        : onLongLine(this.#session),
    );
    return true;
  }

  #perform({ session, reply, next }: Step): void {
    this.#session = session;
    this.#replies += reply;
    switch (next.kind) {
      case "command":
        break;
      case "policy": {
        const recipient = next.path.kind === "postmaster"
          ? `postmaster@${this.#service.me}`
          : formatMailbox(next.path.mailbox);
        this.#perform(onVerdict(session, { kind: "accept", recipient }));
        break;
      }
      case "content":
        this.#message = this.#begin(next.envelope);
        break;
      case "close":
        this.#end = next.reason === undefined ? "quit" : "cut off";
    }
  }

  #begin(envelope: Envelope): IncomingMessage {
    const { me, begin, now } = this.#service;
    const { helo, esmtp } = this.#session;
    const protocol = esmtp ? "ESMTP" : "SMTP";
    const received = smtpReceived({ ...client, helo, by: me, protocol, unixSeconds: now() / 1000 });
    return new IncomingMessage(envelope, toOctets(received), begin(), this.#settings.databytes);
  }

  async #takeContent(message: IncomingMessage): Promise<boolean> {
    const chunk = this.#lines.rest();
    if (chunk.length === 0) return false;
    const { done, rest, room } = message.push(chunk);
    this.#lines.push(rest);
    await room;
    if (!done) return true;
    this.#message = undefined;
    this.#perform(onContentEnd(this.#session, await message.end(this.#service.now)));
    return true;
  }

  /** Whether the client took them. */
  async #flush(): Promise<boolean> {
    const replies = this.#replies;
    this.#replies = "";
    if (replies === "") return true;
    return await this.#inTime(this.#peer.write(replies).then(() => true, () => false));
  }

  async #inTime<T>(answer: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Silence()), this.#service.idleMs);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
