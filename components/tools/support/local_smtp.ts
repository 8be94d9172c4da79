/**
 * An SMTP session with the one who started the program: octets in, replies out, messages into a queue. Trusted as qmail
 * trusts a local connection: every recipient is taken (what does not exist bounces), and no size is too large. Syntax,
 * limits of lines and errors, and what ends a message are the server's (lib/smtp).
 * @module
 */
import { formatMailbox } from "../../lib/address/mailbox.ts";
import { receivedProtocol, smtpReceived } from "../../lib/message/received.ts";
import { toOctets } from "../../lib/octets.ts";
import { IncomingMessage, type IntoQueue } from "../../lib/smtp/incoming_message.ts";
import { LineReader } from "../../lib/smtp/line_reader.ts";
import type { Decision } from "../../lib/policy/decision.ts";
import {
  type Ask,
  farewells,
  newSession,
  onCommand,
  onContentEnd,
  onDecision,
  onLongLine,
  type Opening,
  parseLine,
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

function accept(address: string): Decision {
  return { kind: "accept", address };
}

class LocalSession {
  readonly #peer: LocalClient;
  readonly #service: LocalService;
  readonly #settings: Settings;
  readonly #lines = new LineReader();
  #session: Session = newSession;
  #message: IncomingMessage | undefined;
  /** Octets of a refused chunk that are to come, and what is said behind them. */
  #discard: { readonly left: number; readonly reply: string } | undefined;
  #replies = "";
  #end: SessionEnd | undefined;

  constructor(peer: LocalClient, service: LocalService) {
    this.#peer = peer;
    this.#service = service;
    // The way from here into a queue has no room for what a client may ask beside its addresses.
    this.#settings = { greeting: service.me, databytes: 0, extensions: new Set() };
    this.#perform(onDecision(newSession, { on: "connect" }, accept(""), this.#settings));
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
    if (this.#discard !== undefined) return this.#takeDiscarded(this.#discard);
    const line = this.#lines.takeLine();
    if (line === undefined) return false;
    this.#perform(
      line.kind === "line"
        ? onCommand(this.#session, parseLine(this.#session, line.text, this.#settings), this.#settings)
        : onLongLine(this.#session, this.#settings),
    );
    return true;
  }

  #perform({ session, reply, next }: Step): void {
    this.#session = session;
    this.#replies += reply;
    switch (next.kind) {
      case "command":
        break;
      case "policy":
        this.#perform(onDecision(session, next.ask, accept(this.#addressOf(next.ask)), this.#settings));
        break;
      case "content":
        this.#message = this.#begin(next.message);
        break;
      case "discard":
        this.#discard = { left: next.sizeBytes, reply: next.reply };
        break;
      case "close":
        this.#end = next.reason === undefined ? "quit" : "cut off";
        break;
      default:
        throw new Error(`${next.kind} is not on offer`);
    }
  }

  /** The address of the policy's decision: everything is taken as it is. */
  #addressOf(ask: Ask): string {
    switch (ask.on) {
      case "mail":
        return ask.path.kind === "null" ? "" : formatMailbox(ask.path.mailbox);
      case "rcpt":
        return ask.path.kind === "postmaster" ? `postmaster@${this.#service.me}` : formatMailbox(ask.path.mailbox);
      default:
        return "";
    }
  }

  #takeDiscarded({ left, reply }: { readonly left: number; readonly reply: string }): boolean {
    const octets = this.#lines.rest();
    this.#lines.push(octets.subarray(left));
    this.#discard = octets.length < left ? { left: left - octets.length, reply } : undefined;
    if (this.#discard === undefined) this.#replies += reply;
    return octets.length > 0 || this.#discard === undefined;
  }

  #begin({ envelope }: Opening): IncomingMessage {
    const { me, begin, now } = this.#service;
    const { helo, esmtp } = this.#session;
    const protocol = receivedProtocol({ lmtp: false, esmtp, tls: false, login: false, smtputf8: false });
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
