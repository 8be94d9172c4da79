/**
 * Carries a session's steps out on a connection: writes, waits, sends the message.
 * @module
 */
import type { MessageBody } from "../lib/delivery/message_body.ts";
import { assertNever } from "../lib/result.ts";
import { DotEncoder } from "../lib/smtp/dot_stuffing.ts";
import { concat } from "../lib/wire/frame.ts";
import type { Connection } from "./connection.ts";
import type { Session, Step } from "./session.ts";

/** How a transaction ended. */
export type Outcome = Extract<Step, { readonly kind: "next" | "done" }>;

/**
 * Plays a whole transaction. Throws what reading the message throws; the connection is closed then, before its final
 * dot, so that the server cannot take a part for the whole.
 */
export async function converse(
  connection: Connection,
  session: Session,
  body: MessageBody,
  timeoutMs: number,
): Promise<Outcome> {
  let step = session.begin();
  for (;;) {
    switch (step.kind) {
      case "reply":
        if (step.send !== "") connection.write(step.send);
        step = await hear(connection, session, timeoutMs);
        break;
      case "content":
        step = await sendContent(connection, body, timeoutMs)
          ? session.contentSent()
          : await hear(connection, session, timeoutMs);
        break;
      case "next":
      case "done":
        return step;
      default:
        return assertNever(step);
    }
  }
}

async function hear(connection: Connection, session: Session, timeoutMs: number): Promise<Step> {
  const answer = await connection.reply(timeoutMs);
  return answer.kind === "reply" ? session.onReply(answer.reply) : session.onBroken(answer.kind);
}

/** Whether all was written; not so when the server spoke, or was lost, before the end. */
async function sendContent(connection: Connection, body: MessageBody, timeoutMs: number): Promise<boolean> {
  const encoder = new DotEncoder();
  let remaining = body.sizeBytes;
  try {
    for await (const piece of body.pieces()) {
      remaining -= piece.length;
      const encoded = encoder.push(piece);
      const end = remaining > 0 ? undefined : encoder.end();
      await connection.drained(timeoutMs);
      if (connection.spoken) return false;
      // The last piece takes the dot along: one write, and for most messages the only one.
      connection.write(end === undefined ? encoded : concat([encoded, end], encoded.length + end.length));
    }
  } catch (error) {
    connection.close("");
    throw error;
  }
  return true;
}
