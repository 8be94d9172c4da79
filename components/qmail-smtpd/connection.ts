/**
 * One client's connection: octets in, commands and content to the core, its replies out. Takes commands strictly in
 * order; while the core waits for its policy, an exchange, a handshake or qmail-queue, or the client does not read its
 * replies, the socket is not read, so that no client decides how much memory it costs.
 *
 * Everything here runs from the socket's events without a promise or a timer, unless somebody else has to be asked.
 * @module
 */
import { describeError, log, logEvent } from "../lib/log/log.ts";
import type { Decision } from "../lib/policy/decision.ts";
import { assertNever } from "../lib/result.ts";
import type { AuthStep } from "../lib/sasl/authenticator.ts";
import type { IncomingMessage } from "../lib/smtp/incoming_message.ts";
import { LineReader } from "../lib/smtp/line_reader.ts";
import {
  type Ask,
  type Chunk,
  type ContentEnd,
  farewells,
  maxAuthLine,
  newSession,
  onAuthLine,
  onAuthStep,
  onChunkEnd,
  onContentEnd,
  onDecision,
  onSecured,
  onStartTls,
  type Opening,
  type Session,
  type Step,
} from "../lib/smtp/server_session.ts";
import { ClientIdentity } from "./client_identity.ts";
import type { ClientSocket } from "../lib/server/client_socket.ts";
import { type Asked, CommandQueue } from "./command_queue.ts";
import { ChunkReader, openMessage, type Reading } from "./incoming.ts";
import { logEnd, logMessage, logSecured, logStep, logTlsFailure } from "./log_lines.ts";
import { Login } from "./login.ts";
import { Outbox } from "../lib/server/outbox.ts";
import type { Arrival, Secured, Service, Values } from "./service.ts";

export type { Arrival, Secured, Service, Values } from "./service.ts";

const commands: Reading = { kind: "commands" };

/**
 * Octets that count as progress where no command or message has come to its end: who sends one now and then, to keep
 * its connection, runs into the time limit.
 */
const progressBytes = 1024;

/** How long a client may take to close its side once the server has closed its own. */
const lingerSeconds = 5;

export class Connection {
  readonly #socket: ClientSocket;
  readonly #service: Service;
  readonly #values: Values;
  readonly #client: ClientIdentity;
  readonly #login: Login;
  readonly #outbox: Outbox;
  readonly #lines = new LineReader();
  readonly #queue: CommandQueue;
  #session: Session = newSession;
  #secured: Secured | undefined;
  #reading: Reading = commands;
  #message: IncomingMessage | undefined;
  /** What is said to a client that speaks before the greeting. */
  #early: { readonly reply: string; readonly reason: string } | undefined;
  /** Another process is being asked; content stands with qmail-queue; or there is a handshake. */
  #waiting: "queue" | "others" | "handshake" | undefined;
  #delay: ReturnType<typeof setTimeout> | undefined;
  #ended = false;
  #closing = false;
  #goingDown = false;
  #greeted = false;
  #idleSeconds = 0;
  /** Octets since the last progress. */
  #received = 0;

  constructor(socket: ClientSocket, values: Values, service: Service, arrival: Arrival = {}) {
    this.#socket = socket;
    this.#values = values;
    this.#service = service;
    this.#client = new ClientIdentity(values.clients, arrival, socket.remoteAddress);
    const { localiphost: host } = values;
    const here = host && { host, address: () => socket.localAddress };
    this.#queue = new CommandQueue(this.#lines, this.#client, values.policy, values.settings, here);
    this.#login = new Login(values.authenticator, arrival.entrance ?? "smtp");
    this.#outbox = new Outbox(socket);
    if (arrival.secured !== undefined) this.#onSecured(arrival.secured);
    this.#decide({ on: "connect" });
    this.#outbox.flush();
    socket.listen({
      data: (chunk) => this.#onData(chunk),
      end: () => {
        this.#ended = true;
        this.#work();
      },
      drain: () => this.#outbox.drain() && this.#work(),
      close: () => this.#onClose(),
    });
  }

  /** The client's address in one spelling, or "unknown". */
  get ip(): string {
    return this.#client.ip;
  }

  /** To be called each second. */
  tick(): void {
    if (this.#waiting !== undefined && !this.#closing) return;
    this.#idleSeconds++;
    if (this.#closing) {
      if (this.#idleSeconds > lingerSeconds) this.#socket.destroy();
    } else if (this.#idleSeconds > this.#timeoutSeconds) {
      this.#close(farewells.timeout, "timeout");
    }
  }

  get #timeoutSeconds(): number {
    const { timeoutSeconds, timeoutAfterLoginSeconds = timeoutSeconds } = this.#values;
    return this.#session.login === undefined ? timeoutSeconds : timeoutAfterLoginSeconds;
  }

  /** The server is being stopped: a message or a handshake under way may come to its end, nothing else. */
  goDown(): void {
    this.#goingDown = true;
    const isBetween = this.#message === undefined && this.#waiting !== "queue" && this.#waiting !== "handshake";
    if (isBetween) this.#close(farewells.goingDown);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Uint8Array): void {
    if (this.#closing) return;
    this.#received += chunk.length;
    if (this.#received >= progressBytes) this.#progress();
    this.#lines.push(chunk);
    if (this.#early !== undefined) this.#close(`${this.#early.reply}\r\n`, this.#early.reason);
    else if (this.#waiting !== undefined || this.#outbox.isFull) this.#socket.pause();
    else this.#work();
  }

  #progress(): void {
    this.#idleSeconds = 0;
    this.#received = 0;
  }

  #onClose(): void {
    this.#closing = true;
    this.#dropAll();
    this.#service.onClose(this);
  }

  /** Takes all there is to take, until something has to be waited for. */
  #work(): void {
    try {
      while (this.#waiting === undefined && !this.#outbox.isFull && !this.#closing) {
        if (!this.#take()) break;
      }
      this.#outbox.flush();
      if (this.#waiting !== undefined || this.#outbox.isFull || this.#closing) return;
      if (this.#ended) this.#close();
      else if (this.#socket.paused) this.#socket.resume();
    } catch (error) {
      this.#breakOff(error);
    }
  }

  /** A bug costs the one session that met it; its client tries again. */
  #breakOff(error: unknown): void {
    log(`alert: session of ${this.ip} broken off: ${describeError(error)}`);
    this.#socket.destroy();
  }

  /** Whether there was something to take. */
  #take(): boolean {
    const reading = this.#reading;
    switch (reading.kind) {
      case "commands":
        return this.#takeCommand();
      case "auth line":
        return this.#takeAuthLine();
      case "content":
        return this.#takeContent(this.#message!);
      case "chunk":
        return this.#takeChunk(reading.reader, () => this.#endChunk(reading.chunk));
      case "discard":
        return this.#takeChunk(reading.reader, () => {
          this.#reading = commands;
          this.#outbox.add(reading.reply);
        });
      default:
        return assertNever(reading);
    }
  }

  #takeCommand(): boolean {
    const taken = this.#queue.take(this.#session);
    if (taken === undefined) return false;
    this.#progress();
    const { step, asked } = taken;
    if (step.next.kind === "policy") this.#decide(step.next.ask, asked);
    else this.#perform(step);
    return true;
  }

  /** Gets a decision, which may have been asked for already, and goes on with it. */
  #decide(ask: Ask, asked: Asked | undefined = undefined): void {
    const decision = asked ?? this.#queue.ask(this.#session, ask);
    if (!(decision instanceof Promise)) return this.#onDecision(ask, decision);
    if (ask.on === "rcpt") this.#queue.lookAhead(this.#session);
    this.#await("others", decision, (decided) => this.#onDecision(ask, decided));
  }

  #onDecision(ask: Ask, decision: Decision): void {
    if (decision.environment !== undefined) this.#client.environment = decision.environment;
    if (ask.on === "connect" && !this.#greeted && decision.kind === "accept" && decision.early !== undefined) {
      if (!this.#lines.isEmpty) return this.#close(`${decision.early.reply}\r\n`, decision.early.reason);
      this.#early = decision.early;
    }
    this.#perform(onDecision(this.#session, ask, decision, this.#values.settings));
  }

  /** Carries out a step, now or when its delay is over. What was said before does not wait. */
  #perform(step: Step): void {
    this.#session = step.session;
    logStep(this.ip, step);
    if (step.session.exchange === undefined) this.#login.cancel();
    // Without its transaction a message between two chunks has no end to come.
    if (step.session.transaction === undefined && step.next.kind === "command") this.#dropContent();
    if (step.delayMs === undefined) return this.#act(step);
    this.#outbox.flush();
    const delayed = new Promise<void>((resolve) => this.#delay = setTimeout(resolve, step.delayMs));
    this.#await("others", delayed, () => this.#act(step));
  }

  #act({ reply, next }: Step): void {
    this.#early = undefined;
    this.#greeted = true;
    this.#outbox.add(reply);
    this.#reading = commands;
    switch (next.kind) {
      case "command":
        break;
      case "policy":
        return this.#decide(next.ask);
      case "content":
        this.#reading = { kind: "content" };
        return this.#beginMessage(next.message);
      case "chunk":
        if (next.message !== undefined) this.#beginMessage(next.message);
        this.#reading = { kind: "chunk", chunk: next.chunk, reader: new ChunkReader(next.chunk, this.#message) };
        break;
      case "discard":
        this.#reading = { kind: "discard", reply: next.reply, reader: new ChunkReader(next, undefined) };
        break;
      case "starttls":
        return this.#startTls();
      case "handshake":
        return this.#shakeHands();
      case "auth":
        return this.#awaitLogin(this.#login.begin(next, this.ip, this.#secured));
      case "auth line":
        this.#reading = { kind: "auth line" };
        break;
      case "auth response":
        return this.#awaitLogin(this.#login.goOn(next.response));
      case "xclient":
        this.#client.speakFor(next.attributes);
        return this.#decide({ on: "connect" });
      case "close":
        return this.#close("", next.reason, next.reason === undefined);
      default:
        assertNever(next);
    }
  }

  #startTls(): void {
    const isOffered = this.#values.startTls !== undefined;
    const state = !isOffered ? "unavailable" : this.#queue.isEmpty ? "ready" : "octets behind";
    this.#perform(onStartTls(this.#session, state, this.#values.settings));
  }

  #shakeHands(): void {
    this.#outbox.flush();
    const secured = this.#values.startTls!(this.#socket).catch((error) => logTlsFailure(this.ip, error));
    this.#await("handshake", secured, (channel) => {
      if (channel === undefined) return this.#socket.destroy();
      this.#onSecured(channel);
      if (this.#goingDown) this.#close(farewells.goingDown);
    });
  }

  #onSecured(secured: Secured): void {
    this.#secured = secured;
    this.#session = onSecured(this.#session, { isBound: secured.endPoint !== undefined });
    logSecured(this.ip, secured);
  }

  #awaitLogin(answer: Promise<AuthStep>): void {
    this.#await("others", answer, (step) => this.#perform(onAuthStep(this.#session, step, this.#values.settings)));
  }

  #takeAuthLine(): boolean {
    const line = this.#lines.takeLine(maxAuthLine);
    if (line === undefined) return false;
    this.#perform(onAuthLine(this.#session, line.kind === "line" ? line.text : undefined, this.#values.settings));
    return true;
  }

  #beginMessage(opening: Opening): void {
    const origin = {
      facts: this.#client.facts(this.#session),
      remoteHost: this.#client.remoteHost,
      secured: this.#secured,
    };
    this.#message = openMessage(opening, this.#session, origin, this.#values, this.#service);
    this.#socket.reads = "content";
  }

  #takeContent(message: IncomingMessage): boolean {
    const chunk = this.#lines.rest();
    if (chunk.length === 0) return false;
    const { done, rest, room } = message.push(chunk);
    this.#lines.push(rest);
    this.#afterRoom(room, () => {
      if (done && this.#message === message) this.#endContent(message);
    });
    return true;
  }

  #takeChunk(reader: ChunkReader, then: () => void): boolean {
    const taken = reader.take(this.#lines);
    if (taken === undefined) return false;
    this.#afterRoom(taken.room, () => {
      if (taken.done && !this.#closing) then();
    });
    return true;
  }

  #afterRoom(room: Promise<void> | undefined, then: () => void): void {
    if (room === undefined) then();
    else this.#await("queue", room, then);
  }

  #endChunk(chunk: Chunk): void {
    const message = this.#message!;
    if (chunk.last) return this.#endContent(message);
    const { fault } = message;
    if (fault !== undefined) {
      logEnd(message, this.#client.facts(this.#session), { kind: "fault", fault });
      this.#message = undefined;
    }
    this.#perform(onChunkEnd(this.#session, chunk, fault));
  }

  #endContent(message: IncomingMessage): void {
    this.#message = undefined;
    this.#reading = commands;
    this.#socket.reads = "commands";
    const end = message.end(Date.now);
    if (end instanceof Promise) this.#await("queue", end, (known) => this.#answer(message, known));
    else this.#answer(message, end);
  }

  #answer(message: IncomingMessage, end: ContentEnd): void {
    const facts = this.#client.facts(this.#session);
    // The client hears of it first.
    queueMicrotask(() => logEnd(message, facts, end));
    if (this.#closing) return;
    this.#perform(onContentEnd(this.#session, end));
    if (this.#goingDown) this.#close(farewells.goingDown);
  }

  /** Goes on with the next command only when `answer` is there. */
  #await<T>(whom: "queue" | "others" | "handshake", answer: Promise<T>, then: (value: T) => void): void {
    this.#waiting = whom;
    void answer.then((value) => {
      this.#waiting = undefined;
      this.#progress();
      if (!this.#closing || whom === "queue") then(value);
      this.#work();
    }).catch((error) => this.#breakOff(error));
  }

  /**
   * Says a last thing and closes; `reason` is for the log. What the client still sends is read, or the system would reset
   * the connection and the reply be lost; after QUIT (`bye`) there is nothing to come.
   */
  #close(lastReply = "", reason?: string, bye = false): void {
    if (this.#closing) return;
    if (reason !== undefined) logEvent("closed", { ip: this.ip, reason });
    this.#outbox.add(lastReply);
    this.#outbox.flush();
    this.#closing = true;
    this.#idleSeconds = 0;
    this.#dropAll();
    this.#queue.clear();
    this.#lines.rest();
    if (bye) this.#socket.destroySoon();
    else this.#socket.end();
    this.#socket.resume();
  }

  #dropAll(): void {
    clearTimeout(this.#delay);
    this.#login.cancel();
    this.#dropContent();
  }

  /** Content that came to no end leaves nothing in the queue. */
  #dropContent(): void {
    if (this.#message === undefined) return;
    this.#message.abort();
    logMessage("abandoned", this.#message, this.#client.facts(this.#session));
    this.#message = undefined;
  }
}
