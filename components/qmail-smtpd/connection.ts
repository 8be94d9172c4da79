/**
 * One client's connection: octets in, commands and content to the core, its replies out. Takes commands strictly in
 * order; while the core waits for qmail-getpw or qmail-queue, or the client does not read its replies, the socket is not
 * read, so that no client decides how much memory it costs.
 *
 * Everything here runs from the socket's events without a promise, unless another process has to be asked.
 * @module
 */
import { describeError, log, logEvent } from "../lib/log/log.ts";
import { smtpReceived } from "../lib/message/received.ts";
import { toOctets } from "../lib/octets.ts";
import type { Envelope } from "../lib/queue/envelope.ts";
import { Submission } from "../lib/queue/submission.ts";
import { type Command, parseCommand } from "../lib/smtp/command.ts";
import { IncomingMessage } from "../lib/smtp/incoming_message.ts";
import { LineReader } from "../lib/smtp/line_reader.ts";
import {
  type ContentEnd,
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
  type Verdict,
} from "../lib/smtp/server_session.ts";
import type { Client } from "../lib/wire/client.ts";
import type { GetpwReply } from "../lib/wire/getpw_protocol.ts";
import { type ClientSocket, commandBytes, contentBytes } from "./client_socket.ts";
import { judge, type KnownClients, type Rules, verdictOf } from "./policy.ts";

/** What a connection takes from the control files as they were when it came. */
export interface Values {
  readonly settings: Settings;
  readonly rules: Rules;
  readonly clients: KnownClients;
  readonly timeoutSeconds: number;
}

/** What the connections of one process share. */
export interface Service {
  readonly queue: Client;
  readonly uid: number;
  /** Asks qmail-getpw, unless the answer is known; never rejects. */
  readonly check: (address: string) => Promise<GetpwReply["kind"]> | GetpwReply["kind"];
  readonly onClose: (connection: Connection) => void;
}

/** A command, and for a RCPT that had to wait its verdict, which is being asked for already. */
interface Ahead {
  readonly command: Command | "long line";
  readonly verdict?: Promise<Verdict> | Verdict;
}

/** Replies the client has not read; beyond this nothing more is read from it. */
const unreadBytes = 64 * 1024;

/** RCPTs that are asked about at once. */
const maxAhead = 100;

/** How long a client may take to close its side once the server has closed its own. */
const lingerSeconds = 5;

export class Connection {
  readonly ip: string;
  readonly #socket: ClientSocket;
  readonly #service: Service;
  readonly #values: Values;
  readonly #relaying: boolean;
  readonly #lines = new LineReader();
  #session: Session = newSession;
  #ahead: Ahead[] = [];
  #replies = "";
  #message: IncomingMessage | undefined;
  /** Another process is being asked; content stands with qmail-queue. */
  #waiting: "getpw" | "queue" | undefined;
  #unread = false;
  #ended = false;
  #closing = false;
  #goingDown = false;
  #idleSeconds = 0;

  constructor(socket: ClientSocket, values: Values, service: Service) {
    this.#socket = socket;
    this.#values = values;
    this.#service = service;
    const { ip, relaying } = values.clients.at(socket.remoteAddress);
    this.ip = ip;
    this.#relaying = relaying;
    this.#replies = greet(values.settings);
    this.#flush();
    socket.listen({
      data: (chunk) => this.#onData(chunk),
      end: () => {
        this.#ended = true;
        this.#work();
      },
      drain: () => {
        if (!this.#unread) return;
        this.#unread = false;
        this.#work();
      },
      close: () => this.#onClose(),
    });
  }

  /** To be called each second. */
  tick(): void {
    if (this.#waiting !== undefined && !this.#closing) return;
    this.#idleSeconds++;
    if (this.#closing) {
      if (this.#idleSeconds > lingerSeconds) this.#socket.destroy();
    } else if (this.#idleSeconds > this.#values.timeoutSeconds) {
      this.#close(farewells.timeout, "timeout");
    }
  }

  /** The server is being stopped: a message under way may still come in, nothing else. */
  goDown(): void {
    this.#goingDown = true;
    if (this.#message === undefined && this.#waiting !== "queue") this.#close(farewells.goingDown);
  }

  /** Ends it at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Uint8Array): void {
    if (this.#closing) return;
    this.#idleSeconds = 0;
    this.#lines.push(chunk);
    if (this.#waiting !== undefined || this.#unread) this.#socket.pause();
    else this.#work();
  }

  #onClose(): void {
    this.#closing = true;
    this.#dropContent();
    this.#service.onClose(this);
  }

  /** Takes all there is to take, until something has to be waited for. */
  #work(): void {
    try {
      while (this.#waiting === undefined && !this.#unread && !this.#closing) {
        if (!(this.#message === undefined ? this.#takeCommand() : this.#takeContent(this.#message))) break;
        if (this.#replies.length > unreadBytes) this.#flush();
      }
      this.#flush();
      if (this.#waiting !== undefined || this.#unread || this.#closing) return;
      if (this.#ended) this.#close();
      else if (this.#socket.paused) this.#socket.resume();
    } catch (error) {
      // A bug costs the one session that met it; its client tries again.
      log(`alert: session of ${this.ip} broken off: ${describeError(error)}`);
      this.#socket.destroy();
    }
  }

  #takeCommand(): boolean {
    const next = this.#ahead.shift() ?? this.#nextCommand();
    if (next === undefined) return false;
    const { settings } = this.#values;
    const step = next.command === "long line"
      ? onLongLine(this.#session)
      : onCommand(this.#session, next.command, settings);
    if (step.next.kind !== "policy") {
      this.#perform(step);
      return true;
    }
    const verdict = next.verdict ?? this.#judge(next.command);
    if (!(verdict instanceof Promise)) this.#perform(onVerdict(this.#session, verdict));
    else {
      this.#lookAhead();
      this.#await("getpw", verdict, (known) => this.#perform(onVerdict(this.#session, known)));
    }
    return true;
  }

  #nextCommand(): Ahead | undefined {
    const line = this.#lines.takeLine();
    if (line === undefined) return undefined;
    return { command: line.kind === "line" ? parseCommand(line.text) : "long line" };
  }

  /** Asks about the RCPTs that came in the same packet; they are answered in their turn. */
  #lookAhead(): void {
    while (this.#ahead.length < maxAhead && (this.#ahead.at(-1)?.verdict !== undefined || this.#ahead.length === 0)) {
      const next = this.#nextCommand();
      if (next === undefined) return;
      const isRcpt = next.command !== "long line" && next.command.verb === "RCPT";
      this.#ahead.push(isRcpt ? { ...next, verdict: this.#judge(next.command) } : next);
    }
  }

  #judge(command: Command | "long line"): Verdict | Promise<Verdict> {
    if (command === "long line" || command.verb !== "RCPT") throw new Error("only a RCPT is judged");
    const judgement = judge(command.forwardPath, this.#relaying, this.#values.rules);
    if (judgement.kind !== "ask") return judgement;
    const { recipient } = judgement;
    const kind = this.#service.check(recipient);
    return kind instanceof Promise ? kind.then((known) => verdictOf(recipient, known)) : verdictOf(recipient, kind);
  }

  #perform(step: Step): void {
    this.#session = step.session;
    this.#replies += step.reply;
    if (step.refusal !== undefined) {
      const { event, from, to, reason } = step.refusal;
      logEvent(event, { ip: this.ip, from: `<${from}>`, ...(to === undefined ? {} : { to: `<${to}>` }), reason });
    }
    if (step.next.kind === "content") this.#beginContent(step.next.envelope);
    else if (step.next.kind === "close") this.#close("", step.next.reason, step.next.reason === undefined);
  }

  #beginContent(envelope: Envelope): void {
    const { queue, uid } = this.#service;
    const { helo, esmtp } = this.#session;
    const { rules, settings } = this.#values;
    const trace = {
      helo,
      remoteIp: this.ip,
      by: rules.me,
      protocol: esmtp ? "ESMTP" : "SMTP",
      unixSeconds: Date.now() / 1000,
    } as const;
    const submission = new Submission(queue, "network", uid);
    this.#message = new IncomingMessage(envelope, toOctets(smtpReceived(trace)), submission, settings.databytes);
    this.#socket.readBytes = contentBytes;
  }

  #takeContent(message: IncomingMessage): boolean {
    const chunk = this.#lines.rest();
    if (chunk.length === 0) return false;
    const { done, rest, room } = message.push(chunk);
    this.#lines.push(rest);
    const then = () => {
      if (done && this.#message === message) this.#endContent(message);
    };
    if (room === undefined) then();
    else this.#await("queue", room, then);
    return true;
  }

  #endContent(message: IncomingMessage): void {
    this.#message = undefined;
    this.#socket.readBytes = commandBytes;
    const end = message.end(Date.now);
    if (end instanceof Promise) this.#await("queue", end, (known) => this.#answer(message, known));
    else this.#answer(message, end);
  }

  #answer(message: IncomingMessage, end: ContentEnd): void {
    if (end.kind === "fault") this.#logMessage("refused-message", message, { reason: end.fault.replace(" ", "-") });
    else if (end.code === 0) this.#logMessage("accepted", message, { qp: end.qp });
    else this.#logMessage("failed", message, { code: end.code });
    if (this.#closing) return;
    this.#perform(onContentEnd(this.#session, end));
    if (this.#goingDown) this.#close(farewells.goingDown);
  }

  #logMessage(event: string, { envelope, bytes }: IncomingMessage, more: Record<string, string | number> = {}): void {
    logEvent(event, { ip: this.ip, from: `<${envelope.sender}>`, rcpts: envelope.recipients.length, bytes, ...more });
  }

  /** Goes on with the next command only when `answer` is there. */
  #await<T>(whom: "getpw" | "queue", answer: Promise<T>, then: (value: T) => void): void {
    this.#waiting = whom;
    void answer.then((value) => {
      this.#waiting = undefined;
      this.#idleSeconds = 0;
      if (!this.#closing || whom === "queue") then(value);
      this.#work();
    }).catch((error) => {
      log(`alert: session of ${this.ip} broken off: ${describeError(error)}`);
      this.#socket.destroy();
    });
  }

  #flush(): void {
    if (this.#replies === "") return;
    const replies = this.#replies;
    this.#replies = "";
    this.#socket.write(replies);
    this.#unread = this.#socket.writableLength > unreadBytes;
  }

  /**
   * Says a last thing and closes; `reason` is for the log. What the client still sends is read, or the system would reset
   * the connection and the reply be lost; after QUIT (`bye`) there is nothing to come.
   */
  #close(lastReply = "", reason?: string, bye = false): void {
    if (this.#closing) return;
    if (reason !== undefined) logEvent("closed", { ip: this.ip, reason });
    this.#replies += lastReply;
    this.#flush();
    this.#closing = true;
    this.#idleSeconds = 0;
    this.#dropContent();
    this.#ahead = [];
    this.#lines.rest();
    if (bye) this.#socket.destroySoon();
    else this.#socket.end();
    this.#socket.resume();
  }

  /** Content that came to no end leaves nothing in the queue. */
  #dropContent(): void {
    if (this.#message === undefined) return;
    this.#message.abort();
    this.#logMessage("abandoned", this.#message);
    this.#message = undefined;
  }
}
