/**
 * One message to one server over QMTP (qmail's interface): the whole package, then an answer for each recipient. TLS can
 * only be there before the first octet (QMTPS), for QMTP has no STARTTLS.
 *
 * Until the last octet of a package has left the server has nothing to accept, and another server may be asked; from then
 * on whatever goes wrong may be a duplicate.
 * @module
 */
import type { MessageBody } from "../lib/delivery/message_body.ts";
import { framePackage, type QmtpFrame } from "../lib/qmtp/qmtp_client.ts";
import { assertNever } from "../lib/result.ts";
import type { TlsFacts, TlsFlaw } from "../lib/tls/client_policy.ts";
import type { DeliveryReport } from "../lib/wire/delivery_protocol.ts";
import { concat } from "../lib/wire/frame.ts";
import type { Connection } from "./connection.ts";
import type { Outcome, Seen } from "./outcome.ts";
import { plainPeer } from "./peer.ts";
import type { Conversation } from "./play.ts";
import { receivedAnswers } from "./qmtp_answers.ts";
import { brokenReport, forAll, report } from "./reports.ts";

/** Whom we speak with; a `peer` says that the connection has carried a message before. */
export type QmtpConversation = Pick<Conversation, "transaction" | "policy" | "host" | "peer" | "tls">;

/** A handshake takes milliseconds. */
const longestHandshakeMs = 60_000;
const needsTls = report("D", "Message requires TLS to the next host, which QMTP cannot promise. (#5.7.30)");
const tooLarge = report("D", "Message is too large for QMTP. (#5.3.4)");

/**
 * Plays the whole conversation. Each wait for the server to take octets lasts `timeoutMs` at most, and so does the one for
 * all of its answers. Leaves the connection open: its caller closes or keeps it. Throws what reading the message throws;
 * the connection is closed then, before the end of the package, so that the server cannot take a part for the whole.
 */
export async function deliverByQmtp(
  connection: Connection,
  conversation: QmtpConversation,
  body: MessageBody,
  timeoutMs: number,
): Promise<Outcome> {
  const { transaction, peer } = conversation;
  const { ip, recipients, options } = transaction;
  let seen: Seen = { code: 0, tls: conversation.tls, flaw: undefined };
  if (options?.requireTls === true) return done(forAll(recipients.length, needsTls), seen, false);
  const frame = framePackage(body.sizeBytes, transaction);
  if (frame === undefined) return done(forAll(recipients.length, tooLarge), seen, false);
  if (peer === undefined) {
    const opened = await open(connection, conversation, Math.min(timeoutMs, longestHandshakeMs));
    seen = { ...seen, tls: opened.tls, flaw: opened.flaw };
    if (opened.report !== undefined) return next(opened.report, seen);
  }
  connection.speakQmtp();
  if (!await sendPackage(connection, frame, body, timeoutMs)) {
    const early = await connection.reply(timeoutMs);
    // Not even an answer can be one before there is something to answer.
    return next(brokenReport(ip, early.kind === "reply" ? "malformed" : early.kind), seen);
  }
  const { reports, breakage } = await receivedAnswers(connection, transaction, timeoutMs);
  if (breakage === undefined) return done(reports, seen, true);
  const doubtful = brokenReport(ip, breakage, true);
  // Most likely it was about to be closed, and has taken nothing. Asking again now is no more than what a deferral would do later.
  if (peer !== undefined && reports.length === 0) return next(doubtful, seen);
  return done([...reports, ...forAll(recipients.length - reports.length, doubtful)], seen, false);
}

interface Opened {
  readonly tls: TlsFacts | undefined;
  readonly flaw: TlsFlaw | undefined;
  /** Why not. */
  readonly report?: DeliveryReport;
}

/** Begins TLS where the policy has it begin by itself. */
async function open(
  connection: Connection,
  { policy, host, transaction: { ip } }: QmtpConversation,
  timeoutMs: number,
): Promise<Opened> {
  const fail = (text: string, flaw: TlsFlaw): Opened => ({
    tls: undefined,
    flaw,
    report: report("Z", `Connected to ${ip} but ${text}`),
  });
  if (policy.tls === "must" && !policy.implicit) {
    return fail("QMTP has no TLS, which is required. (#4.7.5)", "starttls-not-supported");
  }
  if (policy.tls === "none" || !policy.implicit) return { tls: undefined, flaw: undefined };
  const secured = await connection.secure(policy, host, timeoutMs);
  switch (secured.kind) {
    case "secured":
      return { tls: secured.facts, flaw: secured.facts.flaw };
    case "failed":
      return fail(`TLS failed: ${secured.text}. (#4.7.5)`, secured.flaw);
    case "surplus":
      return fail("something was slipped in before TLS. (#4.7.0)", "validation-failure");
    default:
      return assertNever(secured);
  }
}

/** Whether all was written; not so when the server spoke, or was lost, before the end. */
async function sendPackage(
  connection: Connection,
  { head, tail }: QmtpFrame,
  body: MessageBody,
  timeoutMs: number,
): Promise<boolean> {
  let remaining = body.sizeBytes;
  let front: Uint8Array | undefined = head;
  try {
    for await (const piece of body.pieces()) {
      remaining -= piece.length;
      if (remaining < 0) throw new Error("the message is longer than it was said to be");
      const parts = [front, piece, remaining > 0 ? undefined : tail].filter((part) => part !== undefined);
      front = undefined;
      await connection.drained(timeoutMs);
      if (connection.spoken) return false;
      // Most messages are one piece, and so one write.
      connection.write(concat(parts, parts.reduce((length, part) => length + part.length, 0)));
    }
  } catch (error) {
    connection.close("");
    throw error;
  }
  return true;
}

function next(why: DeliveryReport, seen: Seen): Outcome {
  return { kind: "next", report: why, farewell: "", seen };
}

function done(reports: readonly DeliveryReport[], seen: Seen, reusable: boolean): Outcome {
  return { kind: "done", reports, farewell: "", reusable, seen, peer: plainPeer, transactions: 1, left: [] };
}
