/**
 * The pure parts of an SMTP server put together without a socket, a clock or another process: dialogue, policy, content.
 * TLS is a word here: after the 220 the client goes on as if there had been a handshake.
 * @module
 */
import { toOctets } from "../../components/lib/octets.ts";
import type { ClientFacts, Policy } from "../../components/lib/policy/decision.ts";
import type { SubmittedEnvelope } from "../../components/lib/queue/submission.ts";
import type { Authenticator, AuthExchange } from "../../components/lib/sasl/authenticator.ts";
import { IncomingMessage } from "../../components/lib/smtp/incoming_message.ts";
import { LineReader } from "../../components/lib/smtp/line_reader.ts";
import {
  type Ask,
  type Chunk,
  mailFacts,
  maxAuthLine,
  newSession,
  onAuthLine,
  onAuthStep,
  onChunkEnd,
  onCommand,
  onContentEnd,
  onDecision,
  onLongLine,
  onSecured,
  onStartTls,
  type Opening,
  parseLine,
  type Session,
  type Settings,
  type Step,
} from "../../components/lib/smtp/server_session.ts";
import { concat } from "../../components/lib/wire/frame.ts";
import type { Decision } from "../../components/lib/policy/decision.ts";
import { ChunkReader } from "../../components/qmail-smtpd/incoming.ts";
import { qp } from "./fake_queue.ts";

export interface PureOptions {
  readonly settings: Settings;
  readonly policy: Policy;
  readonly authenticator?: Authenticator;
  readonly relaying?: boolean;
  /** Implicit TLS. */
  readonly secured?: boolean;
  /** Whether TLS gives a channel binding. */
  readonly bound?: boolean;
  /** What the queue answers. */
  readonly code?: number;
}

/** A message that was committed. */
export interface Committed {
  readonly envelope: SubmittedEnvelope;
  readonly header: readonly string[];
  readonly content: Uint8Array;
}

type Mode =
  | { readonly kind: "commands" | "auth line" }
  | { readonly kind: "content"; readonly message: IncomingMessage }
  | { readonly kind: "chunk"; readonly chunk: Chunk; readonly reader: ChunkReader }
  | { readonly kind: "discard"; readonly reply: string; readonly reader: ChunkReader };

const accepted: Decision = { kind: "accept", address: "" };

export class PureServer {
  readonly messages: Committed[] = [];
  /** Messages begun, those of them that were given to the queue, and those that were taken back. */
  begun = 0;
  committed = 0;
  aborted = 0;
  /** What was said and not taken yet. */
  replies = "";
  closed = false;
  session: Session = newSession;
  readonly #options: PureOptions;
  readonly #lines = new LineReader();
  #mode: Mode = { kind: "commands" };
  #message: IncomingMessage | undefined;
  #exchange: AuthExchange | undefined;

  constructor(options: PureOptions) {
    this.#options = options;
    if (options.secured) this.session = onSecured(newSession, { isBound: options.bound === true });
  }

  /** Says the greeting. */
  async begin(): Promise<void> {
    await this.#decide({ on: "connect" });
  }

  /** Takes octets, as they come off a socket. */
  async push(octets: string): Promise<void> {
    if (this.closed) return;
    this.#lines.push(toOctets(octets));
    while (!this.closed && await this.#take());
  }

  /** What has been said since the last call. */
  takeReplies(): string {
    const { replies } = this;
    this.replies = "";
    return replies;
  }

  async #take(): Promise<boolean> {
    const mode = this.#mode;
    const { settings } = this.#options;
    switch (mode.kind) {
      case "commands": {
        const line = this.#lines.takeLine();
        if (line === undefined) return false;
        await this.#perform(
          line.kind === "line"
            ? onCommand(this.session, parseLine(this.session, line.text, settings), settings)
            : onLongLine(this.session, settings),
        );
        return true;
      }
      case "auth line": {
        const line = this.#lines.takeLine(maxAuthLine);
        if (line === undefined) return false;
        await this.#perform(onAuthLine(this.session, line.kind === "line" ? line.text : undefined, settings));
        return true;
      }
      case "content": {
        const chunk = this.#lines.rest();
        if (chunk.length === 0) return false;
        const { done, rest } = mode.message.push(chunk);
        this.#lines.push(rest);
        if (done) await this.#end(mode.message);
        return true;
      }
      case "discard":
      case "chunk": {
        const taken = mode.reader.take(this.#lines);
        if (taken === undefined) return false;
        if (taken.done) await this.#endChunk(mode);
        return true;
      }
    }
  }

  async #endChunk(mode: Mode & { readonly kind: "discard" | "chunk" }): Promise<void> {
    this.#mode = { kind: "commands" };
    if (mode.kind === "discard") {
      this.replies += mode.reply;
      return;
    }
    const message = this.#message!;
    if (mode.chunk.last) return await this.#end(message);
    const { fault } = message;
    if (fault !== undefined) this.#message = undefined;
    await this.#perform(onChunkEnd(this.session, mode.chunk, fault));
  }

  async #end(message: IncomingMessage): Promise<void> {
    this.#mode = { kind: "commands" };
    this.#message = undefined;
    await this.#perform(onContentEnd(this.session, await message.end(() => 1795333684000)));
  }

  async #decide(ask: Ask): Promise<void> {
    const { policy, relaying = false, settings } = this.#options;
    const { helo, secured, login } = this.session;
    const facts: ClientFacts = {
      ...{ entrance: settings.dialect ?? "smtp", ip: "127.0.0.1", relaying, environment: new Map<string, string>() },
      ...{ helo: ask.on === "helo" ? ask.helo : helo, tls: secured !== "", login, stress: false },
    };
    const mail = mailFacts(this.session);
    const decision = ask.on === "connect"
      ? policy.connect(facts)
      : ask.on === "helo"
      ? policy.helo(facts)
      : ask.on === "mail"
      ? policy.mail(facts, ask.path, ask.raw)
      : ask.on === "rcpt"
      ? policy.rcpt(facts, mail, ask.path)
      : policy.data?.(facts, mail) ?? accepted;
    await this.#perform(onDecision(this.session, ask, await decision, settings));
  }

  #begin({ envelope, header, framing }: Opening): IncomingMessage {
    this.begun++;
    const pieces: Uint8Array[] = [];
    this.#message = new IncomingMessage(
      envelope,
      new Uint8Array(0),
      {
        write: (piece) => void pieces.push(piece),
        commit: (envelope) => {
          const { code = 0 } = this.#options;
          this.committed++;
          const content = concat(pieces, pieces.reduce((sum, { length }) => sum + length, 0));
          if (code === 0) this.messages.push({ envelope, header, content });
          return Promise.resolve({ code, qp });
        },
        abort: () => void this.aborted++,
      },
      this.#options.settings.databytes,
      { framing },
    );
    return this.#message;
  }

  async #perform({ session, reply, next }: Step): Promise<void> {
    const { settings, authenticator, bound = false } = this.#options;
    this.session = session;
    this.replies += reply;
    this.#mode = { kind: "commands" };
    if (session.exchange === undefined) this.#exchange = undefined;
    if (session.transaction === undefined && next.kind === "command") {
      this.#message?.abort();
      this.#message = undefined;
    }
    switch (next.kind) {
      case "command":
        break;
      case "policy":
        await this.#decide(next.ask);
        break;
      case "content":
        this.#mode = { kind: "content", message: this.#begin(next.message) };
        break;
      case "chunk": {
        const message = next.message === undefined ? this.#message : this.#begin(next.message);
        this.#mode = { kind: "chunk", chunk: next.chunk, reader: new ChunkReader(next.chunk, message) };
        break;
      }
      case "discard":
        this.#mode = { kind: "discard", reply: next.reply, reader: new ChunkReader(next, undefined) };
        break;
      case "starttls":
        await this.#perform(onStartTls(session, this.#lines.isEmpty ? "ready" : "octets behind", settings));
        break;
      case "handshake":
        this.session = onSecured(session, { isBound: bound });
        break;
      case "auth":
        this.#exchange = authenticator!.start(next.mechanism, { ip: "", entrance: "smtp", tls: false });
        await this.#perform(onAuthStep(session, await this.#exchange.next(next.initial), settings));
        break;
      case "auth line":
        this.#mode = { kind: "auth line" };
        break;
      case "auth response":
        await this.#perform(onAuthStep(session, await this.#exchange!.next(next.response), settings));
        break;
      case "xclient":
        await this.#decide({ on: "connect" });
        break;
      case "close":
        this.closed = true;
        this.#message?.abort();
        this.#message = undefined;
        break;
    }
  }
}
