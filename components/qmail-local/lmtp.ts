/**
 * Deliveries to an LMTP server: connects to its Unix socket, keeps a connection that has served for the next message,
 * and carries out what the session (lib/smtp/lmtp_session.ts) asks for.
 * @module
 */
import type { MessageBody } from "../lib/delivery/message_body.ts";
import { describeError, logEvent } from "../lib/log/log.ts";
import { toOctets } from "../lib/octets.ts";
import { assertNever } from "../lib/result.ts";
import { DotEncoder } from "../lib/smtp/dot_stuffing.ts";
import { type LmtpPeer, LmtpSession, type LmtpStep, report } from "../lib/smtp/lmtp_session.ts";
import { concat } from "../lib/wire/frame.ts";
import type { DeliveryReport } from "../lib/wire/delivery_protocol.ts";
import { LmtpConnection } from "./lmtp_connection.ts";
import { MessageUnreadable, readable } from "./message_pieces.ts";
import { reports } from "./report.ts";

/** How long what may take. */
export interface LmtpLimits {
  /** A server that is not there may just be restarted. */
  readonly connectMs: number;
  /** Each reply but the last, and each piece of the message. */
  readonly replyMs: number;
  /** The reply to the message, which is being stored meanwhile (RFC 5321 §4.5.3.2.6). */
  readonly storedMs: number;
  /** A connection waits for another message. */
  readonly idleMs: number;
  /** After one that did not answer, nobody else tries: who waits for it holds up those who have other mailboxes. */
  readonly awayMs: number;
}

const usualLimits: LmtpLimits = {
  connectMs: 2000,
  replyMs: 60_000,
  storedMs: 600_000,
  idleMs: 5000,
  awayMs: 5000,
};
const connectAgainMs = 50;
const quit = "QUIT\r\n";

const noConnection = report("Z", "Sorry, I wasn't able to establish an LMTP connection. (#4.4.1)");

export interface LmtpDelivery {
  readonly socket: string;
  readonly hostName: string;
  readonly sender: string;
  /** The mailbox as the server knows it. */
  readonly recipient: string;
  /** Lines in front of the message, an octet string. */
  readonly head: string;
  readonly body: MessageBody;
}

/** A connection past LHLO, between two transactions. */
interface Idle {
  readonly socket: string;
  readonly connection: LmtpConnection;
  readonly peer: LmtpPeer;
  readonly timer: ReturnType<typeof setTimeout>;
}

type Outcome = Extract<LmtpStep, { readonly kind: "stale" | "done" }>;

export class Lmtp {
  readonly #limits: LmtpLimits;
  readonly #idle = new Set<Idle>();
  readonly #busy = new Set<LmtpConnection>();
  readonly #awayUntilMs = new Map<string, number>();
  #closed = false;

  constructor(limits: Partial<LmtpLimits> = {}) {
    this.#limits = { ...usualLimits, ...limits };
  }

  async deliver(delivery: LmtpDelivery): Promise<DeliveryReport> {
    const { socket, hostName, sender, recipient, head, body } = delivery;
    const transaction = { hostName, sender, recipient, sizeBytes: head.length + body.sizeBytes };
    try {
      for (let idle = this.#take(socket); idle !== undefined; idle = this.#take(socket)) {
        const outcome = await this.#play(delivery, idle.connection, new LmtpSession(transaction, idle.peer));
        if (outcome.kind === "done") return outcome.report;
      }
      if (Date.now() < (this.#awayUntilMs.get(socket) ?? 0)) return noConnection;
      const connection = await this.#connect(socket);
      if (connection === undefined) return noConnection;
      const outcome = await this.#play(delivery, connection, new LmtpSession(transaction));
      // A new connection is never stale.
      return outcome.kind === "done" ? outcome.report : noConnection;
    } catch (error) {
      if (error instanceof MessageUnreadable) return reports.unreadable;
      throw error;
    }
  }

  /** Ends every transaction under way, each with a deferral, and every connection. */
  endAll(): void {
    this.#closed = true;
    for (const connection of this.#busy) connection.close("");
    for (const idle of [...this.#idle]) this.#drop(idle);
  }

  async #connect(socket: string): Promise<LmtpConnection | undefined> {
    const endMs = Date.now() + this.#limits.connectMs;
    for (;;) {
      try {
        const connection = new LmtpConnection(await Deno.connect({ transport: "unix", path: socket }));
        // It was told to end in the meantime.
        if (this.#closed) connection.close("");
        return connection;
      } catch (error) {
        const isFinal = error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied;
        if (isFinal || this.#closed || Date.now() >= endMs) {
          this.#noteAway(socket, describeError(error));
          return undefined;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, connectAgainMs));
    }
  }

  #noteAway(socket: string, reason: string): void {
    this.#awayUntilMs.set(socket, Date.now() + this.#limits.awayMs);
    logEvent("lmtp", { socket, reason });
  }

  async #play(delivery: LmtpDelivery, connection: LmtpConnection, session: LmtpSession): Promise<Outcome> {
    this.#busy.add(connection);
    let outcome: Outcome | undefined;
    try {
      outcome = await this.#converse(delivery, connection, session);
      return outcome;
    } finally {
      this.#busy.delete(connection);
      if (outcome?.kind === "done" && outcome.reusable) this.#keep(delivery.socket, connection, session.peer);
      else connection.close(outcome?.kind === "done" ? outcome.farewell : "");
    }
  }

  async #converse(delivery: LmtpDelivery, connection: LmtpConnection, session: LmtpSession): Promise<Outcome> {
    const { replyMs, storedMs } = this.#limits;
    let step = session.begin();
    // One that has served before says nothing about the server by its end.
    let hasSpoken = session.isReused;
    const hear = async (limitMs: number): Promise<LmtpStep> => {
      const answer = await connection.reply(limitMs);
      if (answer.kind === "reply") {
        hasSpoken = true;
        return session.onReply(answer.reply);
      }
      if (!hasSpoken && !this.#closed) {
        this.#noteAway(delivery.socket, answer.kind === "died" ? "no reply" : "malformed reply");
      }
      return session.onBroken(answer.kind);
    };
    for (;;) {
      switch (step.kind) {
        case "reply":
          if (step.send !== "") await connection.write(toOctets(step.send), replyMs);
          step = await hear(replyMs);
          break;
        case "content": {
          const isSent = await sendContent(connection, delivery, replyMs);
          if (isSent) session.contentSent();
          step = await hear(isSent ? storedMs : replyMs);
          break;
        }
        case "stale":
        case "done":
          return step;
        default:
          return assertNever(step);
      }
    }
  }

  #take(socket: string): Idle | undefined {
    const idle = [...this.#idle].findLast((one) => one.socket === socket);
    if (idle !== undefined) this.#forget(idle);
    return idle;
  }

  #keep(socket: string, connection: LmtpConnection, peer: LmtpPeer): void {
    if (connection.spoken || this.#closed) return connection.close(quit);
    const idle: Idle = {
      socket,
      connection,
      peer,
      timer: setTimeout(() => this.#drop(idle), this.#limits.idleMs),
    };
    // Whatever a server says now is a good-bye.
    connection.onSpoken = () => this.#drop(idle);
    this.#idle.add(idle);
  }

  #drop(idle: Idle): void {
    this.#forget(idle);
    idle.connection.close(quit);
  }

  #forget(idle: Idle): void {
    clearTimeout(idle.timer);
    idle.connection.onSpoken = undefined;
    this.#idle.delete(idle);
  }
}

/** Whether all was written, the final dot too; not so when the server spoke, or was lost, before the end. */
async function sendContent(
  connection: LmtpConnection,
  { head, body }: LmtpDelivery,
  pieceMs: number,
): Promise<boolean> {
  const encoder = new DotEncoder();
  let [remaining, isSent] = [body.sizeBytes, false];
  let held = encoder.push(toOctets(head));
  for await (const piece of readable(body)) {
    remaining -= piece.length;
    const encoded = [held, encoder.push(piece), ...remaining > 0 ? [] : [encoder.end()]];
    held = new Uint8Array(0);
    if (connection.spoken) return false;
    // The last piece takes the dot along: one write, and for most messages the only one.
    const octets = concat(encoded, encoded.reduce((length, { length: more }) => length + more, 0));
    isSent = await connection.write(octets, pieceMs);
    if (!isSent) return false;
  }
  return isSent;
}
