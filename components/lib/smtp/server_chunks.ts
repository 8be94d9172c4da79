/**
 * Content of an SMTP dialogue: where DATA and BDAT (RFC 3030) begin it, and what is said at its end, or a chunk's.
 *
 * A chunk is always read, also where its BDAT is refused, or commands would be taken from it. After a chunk that failed the
 * others of its message get the same reply, and are no errors of their own: a client may have sent all of them already.
 * @module
 */
import type { MessageOptions, RecipientOptions } from "../queue/message_options.ts";
import type { Fault } from "./content.ts";
import type { SubmittedEnvelope } from "../queue/submission.ts";
import { faultReply, type QueueEnd, queueReply } from "./server_replies.ts";
import { offers, type Settings } from "./server_settings.ts";
import { type Chunk, fail, type Opening, say, type Session, type Step, type Transaction } from "./server_state.ts";

/** How content ended. */
export type ContentEnd =
  | { readonly kind: "fault"; readonly fault: Fault }
  | { readonly kind: "queue" } & QueueEnd;

/** Before DATA, and before a transaction's first BDAT, the policy is asked. */
export function onData(session: Session, settings: Settings): Step {
  const { transaction } = session;
  const refusal = whyNot(transaction);
  if (refusal !== undefined) return fail(session, refusal, settings);
  if (transaction?.chunks !== undefined) return fail(session, "503 5.5.1 DATA after BDAT", settings);
  if (transaction?.parameters.body === "BINARYMIME") return fail(session, "503 5.5.1 BINARYMIME needs BDAT", settings);
  return { session, reply: "", next: { kind: "policy", ask: { on: "data", chunk: undefined } } };
}

export function onBdat(session: Session, chunk: Chunk, settings: Settings): Step {
  const { transaction } = session;
  if (!offers(settings, "CHUNKING")) return refuseChunk(session, chunk, "502 5.5.1 unimplemented", settings);
  const refusal = whyNot(transaction);
  if (transaction === undefined || refusal !== undefined) return refuseChunk(session, chunk, refusal!, settings);
  switch (transaction.chunks) {
    case undefined:
      return { session, reply: "", next: { kind: "policy", ask: { on: "data", chunk } } };
    case "good":
      return readChunk(session, transaction, chunk, undefined);
    default: {
      const reply = `${transaction.chunks.failed}\r\n`.repeat(chunk.last ? repliesTo(transaction, settings) : 1);
      const next = chunk.last ? { ...session, transaction: undefined } : session;
      return { session: next, reply: "", next: { kind: "discard", sizeBytes: chunk.sizeBytes, reply } };
    }
  }
}

/** The policy has nothing against it. */
export function beginContent(session: Session, chunk: Chunk | undefined, settings: Settings): Step {
  const { transaction } = session;
  if (transaction === undefined) throw new Error("content outside of a transaction");
  const owed = repliesTo(transaction, settings);
  const { parameters, header } = transaction;
  const framing = chunk === undefined ? "dots" : parameters.body === "BINARYMIME" ? "binary chunks" : "chunks";
  const message: Opening = {
    envelope: envelopeOf(transaction),
    header: [...session.header.connect, ...session.header.helo, ...header],
    framing,
  };
  if (chunk !== undefined) return readChunk({ ...session, owed }, transaction, chunk, message);
  return {
    session: { ...session, transaction: undefined, owed },
    reply: "354 go ahead\r\n",
    next: { kind: "content", message },
  };
}

/** A BDAT that is refused: its chunk is thrown away, and only then comes the reply (RFC 3030 §2). */
export function refuseChunk(
  session: Session,
  { sizeBytes }: Chunk,
  reply: string,
  settings: Settings,
  counted = true,
): Step {
  const step = fail(session, reply, settings, counted);
  if (step.next.kind !== "command") return step;
  return { ...step, reply: "", next: { kind: "discard", sizeBytes, reply: step.reply } };
}

/** Goes on behind a chunk that is not the last one. */
export function onChunkEnd(session: Session, { sizeBytes }: Chunk, fault: Fault | undefined): Step {
  const { transaction } = session;
  if (transaction === undefined) throw new Error("a chunk outside of a transaction");
  if (fault === undefined) return say(session, `250 2.0.0 ok ${sizeBytes} octets`);
  const failed = faultReply(fault);
  return say({ ...session, transaction: { ...transaction, chunks: { failed } } }, failed);
}

/** Goes on behind the end of content. */
export function onContentEnd(session: Session, end: ContentEnd): Step {
  const reply = end.kind === "fault" ? faultReply(end.fault) : queueReply(end);
  // RFC 2033 §4.2: one reply for each recipient. Here they share the queue's answer.
  return { ...say(session, reply), reply: `${reply}\r\n`.repeat(session.owed) };
}

function readChunk(session: Session, transaction: Transaction, chunk: Chunk, message: Opening | undefined): Step {
  const left: Transaction | undefined = chunk.last ? undefined : { ...transaction, chunks: "good" };
  return { session: { ...session, transaction: left }, reply: "", next: { kind: "chunk", chunk, message } };
}

function whyNot(transaction: Transaction | undefined): string | undefined {
  if (transaction === undefined) return "503 5.5.1 MAIL first";
  return transaction.recipients === undefined ? "503 5.5.1 RCPT first" : undefined;
}

function repliesTo({ count }: Transaction, { dialect }: Settings): number {
  return dialect === "lmtp" ? count : 1;
}

function envelopeOf({ sender, recipients, count, parameters }: Transaction): SubmittedEnvelope {
  const addresses: string[] = [];
  const options = new Map<number, RecipientOptions>();
  let index = count;
  for (let at = recipients; at !== undefined; at = at.earlier) {
    addresses.push(at.last);
    index--;
    if (at.options !== undefined) options.set(index, at.options);
  }
  const envelope = { sender, recipients: addresses.reverse() };
  const { ret, envid, requireTls, smtputf8, body } = parameters;
  const asked: MessageOptions = {
    ...(ret === undefined ? {} : { ret }),
    ...(envid === undefined ? {} : { envid }),
    ...(requireTls === undefined ? {} : { requireTls }),
    ...(smtputf8 === undefined ? {} : { smtputf8 }),
    ...(body === undefined || body === "7BIT" ? {} : { body }),
    recipients: new Map([...options].reverse()),
  };
  const isAsked = options.size > 0 || Object.keys(asked).length > 1;
  return isAsked ? { ...envelope, options: asked } : envelope;
}
