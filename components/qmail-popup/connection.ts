/**
 * One client's connection: feeds its lines to the dialogue of lib/pop3/authorization.ts and carries out what that asks for;
 * once a mailbox is open, relays command after command to it, and its answers piece by piece.
 *
 * Nothing is read from a client while something is waited for, nor while it does not read what it was sent: what it costs
 * at most is a piece of an answer and a line.
 * @module
 */
import { describeError, log, logEvent } from "../lib/log/log.ts";
import { fromOctets } from "../lib/octets.ts";
import {
  type Authorization,
  type AuthorizationStep,
  beginAuthorization,
  capabilities,
  greeting,
  type LoggedIn,
  onAuthLine,
  onAuthStep,
  onCommand,
  onLongLine,
  onSecured,
  onStls,
} from "../lib/pop3/authorization.ts";
import { longestCommand, parseCommand } from "../lib/pop3/command.ts";
import { assertNever } from "../lib/result.ts";
import type { AuthExchange, AuthStep, Mechanism } from "../lib/sasl/authenticator.ts";
import type { ClientSocket } from "../lib/server/client_socket.ts";
import { Outbox } from "../lib/server/outbox.ts";
import { LineReader } from "../lib/smtp/line_reader.ts";
import { maxAuthLine } from "../lib/smtp/server_settings.ts";
import type { Secured } from "../lib/tls/server_stream.ts";
import type { Piece, Refusal } from "../lib/wire/pop3_protocol.ts";
import type { Mailbox } from "./mailbox_link.ts";
import type { Arrival, Service, Values } from "./service.ts";

/** How long a client may take to close its side once the server has closed its own. */
const lingerSeconds = 5;
/** How long others may take to answer: a large mailbox on a slow disk. */
const othersSeconds = 600;

/** What a client is told whose mailbox cannot be opened; qmail-pop3d's words where it has any. */
const refusals: Readonly<Record<Refusal, string>> = {
  ticket: "[SYS/TEMP] that took too long, try again",
  account: "[SYS/PERM] this user's mail is not read here",
  absent: "[SYS/PERM] this user has no $HOME/Maildir",
  unreadable: "[SYS/TEMP] unable to scan $HOME/Maildir",
  unavailable: "[SYS/TEMP] unable to open the mailbox now",
};

export class Connection {
  readonly #socket: ClientSocket;
  readonly #values: Values;
  readonly #service: Service;
  readonly #arrival: Arrival;
  readonly #outbox: Outbox;
  readonly #lines = new LineReader();
  #state: Authorization;
  #readsAuthLine = false;
  #exchange: AuthExchange | undefined;
  #secured: Secured | undefined;
  #mailbox: Mailbox | undefined;
  /** The mailbox has more to say to the last command. */
  #hasMore = false;
  #waiting = false;
  #delay: ReturnType<typeof setTimeout> | undefined;
  #ended = false;
  #closing = false;
  #goingDown = false;
  /** Since the client did something, or, with `#waiting`, since others were asked. */
  #idleSeconds = 0;

  constructor(socket: ClientSocket, values: Values, service: Service, arrival: Arrival) {
    this.#socket = socket;
    this.#values = values;
    this.#service = service;
    this.#arrival = arrival;
    this.#outbox = new Outbox(socket);
    this.#state = beginAuthorization("");
    if (arrival.secured !== undefined) this.#onSecured(arrival.secured);
    this.#outbox.add(greeting(values.settings, this.#state.secured));
    this.#outbox.flush();
    socket.listen({
      data: (chunk) => this.#onData(chunk),
      end: () => {
        this.#ended = true;
        this.#work();
      },
      drain: () => {
        this.#idleSeconds = 0;
        if (this.#outbox.drain()) this.#work();
      },
      close: () => this.#onClose(),
    });
  }

  /** To be called each second. */
  tick(): void {
    this.#idleSeconds++;
    if (this.#closing) {
      const { timeoutSeconds } = this.#values;
      // A slow client may still be taking in what came before its QUIT.
      const limit = this.#socket.writableLength > 0 ? Math.max(timeoutSeconds, lingerSeconds) : lingerSeconds;
      if (this.#idleSeconds > limit) this.#socket.destroy();
    } else if (this.#waiting) {
      if (this.#idleSeconds > othersSeconds) this.#close("", "no-answer");
    } else if (this.#idleSeconds > this.#values.timeoutSeconds) {
      // Who does not read would not read this either.
      const isUnread = this.#outbox.isFull;
      this.#close("", "timeout");
      if (isUnread) this.#socket.destroy();
    }
  }

  /** The server is being stopped: what was asked is answered, nothing else. */
  goDown(): void {
    this.#goingDown = true;
    if (!this.#waiting && !this.#hasMore) this.#close("");
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Uint8Array): void {
    if (this.#closing) return;
    this.#lines.push(chunk);
    if (this.#waiting || this.#outbox.isFull) this.#socket.pause();
    else this.#work();
  }

  #onClose(): void {
    this.#closing = true;
    this.#drop();
    this.#service.onClose(this);
  }

  /** Takes all there is to take, until something has to be waited for. */
  #work(): void {
    try {
      while (!this.#waiting && !this.#outbox.isFull && !this.#closing) {
        if (this.#hasMore) this.#relay(this.#mailbox!.more());
        else if (this.#goingDown) this.#close("");
        else if (!this.#takeLine()) break;
      }
      this.#outbox.flush();
      if (this.#waiting || this.#outbox.isFull || this.#closing) return;
      if (this.#ended) this.#close("");
      else if (this.#socket.paused) this.#socket.resume();
    } catch (error) {
      this.#breakOff(error);
    }
  }

  /** A bug costs the one session that met it. */
  #breakOff(error: unknown): void {
    log(`alert: session of ${this.#arrival.ip} broken off: ${describeError(error)}`);
    this.#socket.destroy();
  }

  /** Whether there was one. */
  #takeLine(): boolean {
    const line = this.#lines.takeLine(this.#readsAuthLine ? maxAuthLine : longestCommand);
    if (line === undefined) return false;
    this.#idleSeconds = 0;
    const text = line.kind === "line" ? line.text : undefined;
    if (this.#readsAuthLine) {
      this.#readsAuthLine = false;
      this.#perform(onAuthLine(this.#state, text));
    } else if (text === undefined) this.#perform(onLongLine(this.#state));
    else if (this.#mailbox === undefined) {
      this.#perform(onCommand(this.#state, parseCommand(text), this.#values.settings));
    } else if (parseCommand(text).verb === "CAPA") {
      this.#outbox.add(capabilities(this.#values.settings, this.#state.secured, true));
    } else this.#relay(this.#mailbox.command(text));
    return true;
  }

  /** Carries out a step, now or when its delay is over. */
  #perform(step: AuthorizationStep): void {
    this.#state = step.state;
    if (step.delayMs === undefined) return this.#act(step);
    this.#outbox.flush();
    const delayed = new Promise<void>((resolve) => this.#delay = setTimeout(resolve, step.delayMs));
    this.#await(delayed, () => this.#act(step));
  }

  #act({ reply, next }: AuthorizationStep): void {
    this.#outbox.add(reply);
    switch (next.kind) {
      case "command":
        break;
      case "auth line":
        this.#readsAuthLine = true;
        break;
      case "auth":
        return this.#beginExchange(next.mechanism, next.response);
      case "auth response":
        return this.#goOn(next.response);
      case "cancel":
        this.#exchange?.cancel();
        this.#exchange = undefined;
        break;
      case "stls":
        return this.#perform(onStls(this.#state, !this.#lines.isEmpty));
      case "handshake":
        return this.#shakeHands();
      case "open":
        return this.#open(next.loggedIn);
      case "close":
        return this.#close("", next.reason, next.reason === undefined);
      default:
        assertNever(next);
    }
  }

  #beginExchange(mechanism: Mechanism, response: Uint8Array | undefined): void {
    const { entrance, ip } = this.#arrival;
    const { endPoint } = this.#secured ?? {};
    const binding = endPoint === undefined ? {} : { endPoint };
    const client = { ip, entrance, tls: this.#secured !== undefined, ...binding };
    this.#exchange = this.#values.authenticator?.start(mechanism, client);
    this.#goOn(response);
  }

  #goOn(response: Uint8Array | undefined): void {
    const unavailable: AuthStep = { kind: "failure", reason: "unavailable" };
    const answer = this.#exchange?.next(response) ?? Promise.resolve(unavailable);
    this.#await(answer, (step) => {
      if (step.kind !== "challenge") this.#exchange = undefined;
      this.#perform(onAuthStep(this.#state, step));
    });
  }

  #shakeHands(): void {
    this.#outbox.flush();
    const { startTls } = this.#values;
    if (startTls === undefined) throw new Error("STLS without a certificate");
    const secured = startTls(this.#socket).catch((error) => logTlsFailure(this.#arrival.ip, error));
    this.#await(secured, (channel) => channel === undefined ? this.#socket.destroy() : this.#onSecured(channel));
  }

  #onSecured(secured: Secured): void {
    this.#secured = secured;
    this.#state = onSecured(this.#state, secured.endPoint !== undefined);
    logEvent("tls", { ip: this.#arrival.ip, protocol: secured.protocol, cipher: secured.cipher });
  }

  #open({ login, ticket }: LoggedIn): void {
    const { ip } = this.#arrival;
    if (ticket === undefined) return this.#close(`-ERR ${refusals.unavailable}\r\n`, "no-ticket");
    this.#await(this.#service.open(ticket), (opened) => {
      if (opened.kind === "refused") {
        return this.#close(`-ERR ${refusals[opened.reason]}\r\n`, `mailbox-${opened.reason}`);
      }
      // It left while its mailbox was being opened.
      if (this.#closing) return opened.mailbox.close();
      this.#mailbox = opened.mailbox;
      logEvent("opened", { ip, login, messages: opened.count, bytes: opened.bytes });
      this.#service.onOpened(this);
      this.#outbox.add("+OK \r\n");
    });
  }

  #relay(asked: Promise<Piece>): void {
    const begins = !this.#hasMore;
    const piece = asked.catch((error) => {
      logEvent("mailbox-lost", { ip: this.#arrival.ip, reason: describeError(error) });
      return undefined;
    });
    this.#await(piece, (answer) => {
      if (answer === undefined) {
        return this.#close(begins ? "-ERR [SYS/TEMP] the mailbox went away\r\n" : "", "mailbox-lost");
      }
      this.#hasMore = !answer.last;
      this.#outbox.add(fromOctets(answer.octets));
      if (answer.ends) this.#close("", undefined, true);
    });
  }

  /** Goes on with the next command only when `answer` is there. */
  #await<T>(answer: Promise<T>, then: (value: T) => void): void {
    this.#waiting = true;
    this.#idleSeconds = 0;
    void answer.then((value) => {
      this.#waiting = false;
      this.#idleSeconds = 0;
      then(value);
      this.#work();
    }).catch((error) => this.#breakOff(error));
  }

  /**
   * Says a last thing and closes; `reason` is for the log. What the client still sends is read, or the system would reset
   * the connection and the reply be lost; after QUIT (`bye`) there is nothing to come.
   */
  #close(lastReply: string, reason?: string, bye = false): void {
    if (this.#closing) return;
    if (reason !== undefined) logEvent("closed", { ip: this.#arrival.ip, reason });
    this.#outbox.add(lastReply);
    this.#outbox.flush();
    this.#closing = true;
    this.#idleSeconds = 0;
    this.#drop();
    this.#lines.rest();
    if (bye) this.#socket.destroySoon();
    else this.#socket.end();
    this.#socket.resume();
  }

  #drop(): void {
    clearTimeout(this.#delay);
    this.#exchange?.cancel();
    this.#exchange = undefined;
    this.#mailbox?.close();
  }
}

export function logTlsFailure(ip: string, error: unknown): undefined {
  logEvent("tls-failed", { ip, reason: error instanceof Error ? error.message : String(error) });
}
