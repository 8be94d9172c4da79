/**
 * One message on one connection, from the greeting (or, on a connection that was used before, from RSET) to the last
 * reply: carries out what the session asks for, and decides nothing.
 * @module
 */
import { pbkdf2, randomBytes } from "node:crypto";
import type { MessageBody } from "../lib/delivery/message_body.ts";
import { assertNever } from "../lib/result.ts";
import type { Answer } from "../lib/smtp/reply_queue.ts";
import type { TlsFacts, TlsPolicy } from "../lib/tls/client_policy.ts";
import type { Connection } from "./connection.ts";
import type { Login } from "./login.ts";
import type { Outcome } from "./outcome.ts";
import type { Peer } from "./peer.ts";
import { ChunkSender, sendContent } from "./send_content.ts";
import { Session, type Step } from "./session.ts";
import type { DeriveStep } from "./steps.ts";
import type { Transaction } from "./transaction.ts";

/** Whom we speak with, and how. */
export interface Conversation {
  readonly transaction: Transaction;
  readonly policy: TlsPolicy;
  /** The exchanger's name, which the handshake asks for; an address where it has none. */
  readonly host: string;
  readonly protocol: "smtp" | "lmtp";
  readonly login?: Login | undefined;
  /** Only of a connection that was used before: what its server can do, what protects it, and what it has carried. */
  readonly peer?: Peer | undefined;
  readonly tls?: TlsFacts | undefined;
  readonly transactions?: number | undefined;
}

/** A handshake takes milliseconds; a server that cannot do it may be asked without, in good time. */
const longestHandshakeMs = 60_000;
const nonceBytes = 18;

/**
 * Plays the whole conversation; each wait lasts `timeoutMs` at most. Leaves the connection open: its caller closes or
 * keeps it. Throws what reading the message throws; the connection is closed then, before its end, so that the server
 * cannot take a part for the whole.
 */
export async function play(
  connection: Connection,
  conversation: Conversation,
  body: MessageBody,
  timeoutMs: number,
): Promise<Outcome> {
  const nonce = conversation.login === undefined ? "" : randomBytes(nonceBytes).toString("base64");
  const session = new Session({ ...conversation, nonce });
  let chunks: ChunkSender | undefined;
  let step = session.begin();
  for (;;) {
    switch (step.kind) {
      case "reply": {
        if (step.send !== "") connection.write(step.send);
        const answer = connection.reply(timeoutMs);
        step = onAnswer(session, answer instanceof Promise ? await answer : answer);
        break;
      }
      case "secure":
        step = await secure(connection, session, conversation, Math.min(timeoutMs, longestHandshakeMs));
        break;
      case "derive":
        step = session.onDerived(await saltPassword(step));
        break;
      case "content":
        step = await sendContent(connection, body, step.sevenBit, timeoutMs)
          ? session.contentSent()
          : await hear(connection, session, timeoutMs);
        break;
      case "chunk": {
        if (step.first || chunks === undefined) chunks = new ChunkSender(body);
        const sent = await chunks.send(connection, timeoutMs);
        step = sent === "spoken" ? await hear(connection, session, timeoutMs) : session.chunkSent(sent === "sent last");
        break;
      }
      case "next":
      case "plain":
      case "done":
        return step;
      default:
        return assertNever(step);
    }
  }
}

async function hear(connection: Connection, session: Session, timeoutMs: number): Promise<Step> {
  return onAnswer(session, await connection.reply(timeoutMs));
}

function onAnswer(session: Session, answer: Answer): Step {
  return answer.kind === "reply" ? session.onReply(answer.reply) : session.onBroken(answer.kind);
}

async function secure(
  connection: Connection,
  session: Session,
  { policy, host }: Conversation,
  timeoutMs: number,
): Promise<Step> {
  const secured = await connection.secure(policy, host, timeoutMs);
  switch (secured.kind) {
    case "secured":
      return session.onSecured(secured.facts);
    case "failed":
      return session.onInsecure(secured.flaw, secured.text);
    case "surplus":
      return session.onSurplus();
    default:
      return assertNever(secured);
  }
}

const keyBytes = { sha1: 20, sha256: 32 } as const;

/** PBKDF2 on another thread. */
function saltPassword({ digest, password, salt, iterations }: DeriveStep): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    pbkdf2(password, salt, iterations, keyBytes[digest], digest, (error, key) => {
      if (error === null || error === undefined) resolve(new Uint8Array(key));
      else reject(error);
    });
  });
}
