/**
 * One client's connection to a QMTP or QMQP server: octets in, messages and envelopes to its desk, the answers out. Takes
 * one message at a time; while its desk or qmail-queue is waited for, or the client does not read its answers, the socket is
 * not read, so that no client decides how much memory it costs.
 * @module
 */
import { describeError, log, logEvent } from "../log/log.ts";
import { assertNever } from "../result.ts";
import { type ClientSocket, commandBytes } from "../server/client_socket.ts";
import { Outbox } from "../server/outbox.ts";
import type { Guest } from "../server/reception.ts";
import type { ArrivingMessage } from "./arriving_message.ts";
import { type GivenEnvelope, type MailEvent, MailReader } from "./mail_reader.ts";

/** Who takes the mail of one client. */
export interface Desk {
  /** A message begins. */
  begin(): ArrivingMessage;
  /** It is all here, with its envelope; the desk queues or aborts it. */
  answer(message: ArrivingMessage, envelope: GivenEnvelope): Promise<Answered>;
}

export interface Answered {
  /** Netstrings; an octet string. */
  readonly octets: string;
  /** The connection ends with them. */
  readonly ends: boolean;
}

export interface ConnectionOptions {
  readonly protocol: "qmtp" | "qmqp";
  /** The client's address, for the log. */
  readonly ip: string;
  readonly desk: Desk;
  /** For each wait for the client. May change, under stress. */
  readonly timeoutSeconds: () => number;
  /** Called once, and last. */
  readonly onClose: () => void;
}

/** Seconds of a whole connection (qmail's number). */
export const longestSeconds = 3600;

/** Octets that count as progress before a message has come to its end: who sends one now and then runs into the limit. */
const progressBytes = 1024;

/** How long a client may take to close its side once the server has closed its own. */
const lingerSeconds = 5;

export class Connection implements Guest {
  readonly #socket: ClientSocket;
  readonly #options: ConnectionOptions;
  readonly #reader: MailReader;
  readonly #outbox: Outbox;
  #message: ArrivingMessage | undefined;
  /** The desk, or qmail-queue, is waited for. */
  #waiting = false;
  #ended = false;
  #closing = false;
  #goingDown = false;
  #seconds = 0;
  #idleSeconds = 0;
  /** Octets since the last progress. */
  #received = 0;

  constructor(socket: ClientSocket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#reader = new MailReader(options.protocol);
    this.#outbox = new Outbox(socket);
    socket.listen({
      data: (chunk) => this.#onData(chunk),
      end: () => {
        this.#ended = true;
        this.#work();
      },
      drain: () => this.#outbox.drain() && this.#work(),
      close: () => {
        this.#closing = true;
        this.#drop("abandoned");
        options.onClose();
      },
    });
  }

  tick(): void {
    this.#seconds++;
    if (this.#waiting && !this.#closing) return;
    this.#idleSeconds++;
    if (this.#closing) {
      if (this.#idleSeconds > lingerSeconds) this.#socket.destroy();
    } else if (this.#idleSeconds > this.#options.timeoutSeconds() || this.#seconds > longestSeconds) {
      this.#close("timeout");
    }
  }

  goDown(): void {
    this.#goingDown = true;
    if (this.#message === undefined && !this.#waiting) this.#close();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Uint8Array): void {
    if (this.#closing) return;
    this.#received += chunk.length;
    if (this.#received >= progressBytes) this.#progress();
    this.#reader.push(chunk);
    if (this.#waiting || this.#outbox.isFull) this.#socket.pause();
    else this.#work();
  }

  #progress(): void {
    this.#idleSeconds = 0;
    this.#received = 0;
  }

  /** Takes all there is to take, until somebody has to be waited for. */
  #work(): void {
    try {
      while (!this.#waiting && !this.#outbox.isFull && !this.#closing) {
        const event = this.#reader.next();
        if (event === undefined) break;
        this.#take(event);
      }
      this.#outbox.flush();
      if (this.#waiting || this.#outbox.isFull || this.#closing) return;
      if (this.#ended) this.#close();
      else if (this.#socket.paused) this.#socket.resume();
    } catch (error) {
      this.#breakOff(error);
    }
  }

  /** A bug costs the one connection that met it; its client tries again. */
  #breakOff(error: unknown): void {
    log(`alert: connection of ${this.#options.ip} broken off: ${describeError(error)}`);
    this.#socket.destroy();
  }

  #take(event: MailEvent): void {
    switch (event.kind) {
      case "begin":
        this.#message = this.#options.desk.begin();
        this.#socket.reads = event.sizeBytes > commandBytes ? "content" : "commands";
        break;
      case "text": {
        const room = this.#message!.push(event.octets);
        if (room !== undefined) this.#await(room, () => {});
        break;
      }
      case "envelope": {
        const message = this.#message!;
        this.#socket.reads = "commands";
        this.#await(this.#options.desk.answer(message, event.envelope), (answered) => {
          this.#message = undefined;
          this.#outbox.add(answered.octets);
          if (answered.ends || this.#goingDown) this.#close();
        });
        break;
      }
      case "fault":
        return this.#close(event.fault);
      default:
        assertNever(event);
    }
  }

  /** Goes on with the next event only when `answer` is there. */
  #await<T>(answer: Promise<T>, then: (value: T) => void): void {
    this.#waiting = true;
    void answer.then((value) => {
      this.#waiting = false;
      this.#progress();
      if (this.#closing) return;
      then(value);
      this.#work();
    }).catch((error) => this.#breakOff(error));
  }

  /**
   * Lets the last answers leave and closes; `reason` is for the log. What the client still sends is read, or the system
   * would reset the connection and the answers be lost.
   */
  #close(reason?: string): void {
    if (this.#closing) return;
    if (reason !== undefined) logEvent("closed", { ip: this.#options.ip, reason });
    this.#outbox.flush();
    this.#closing = true;
    this.#idleSeconds = 0;
    this.#drop(reason === undefined ? "abandoned" : undefined);
    this.#socket.end();
    this.#socket.resume();
  }

  /** A message that came to no end leaves nothing in the queue. */
  #drop(event: string | undefined): void {
    if (this.#message === undefined) return;
    this.#message.abort();
    if (event !== undefined) logEvent(event, { ip: this.#options.ip, bytes: this.#message.bytes });
    this.#message = undefined;
  }
}
