/**
 * What qmail-queue is asked (socket `qmail-queue`), and what it tells qmail-send (socket `qmail-send`).
 *
 * A small message is one frame, `message`. A larger one is `open`, any number of `data`, and `close` with the envelope;
 * `abort`, or the end of the connection, drops it. The reply carries the same id: `code` as qmail-queue's exit codes,
 * `qp` its number in the log. Whoever asked and lost the connection does not know; asking again may queue it twice.
 * @module
 */
import * as field from "./fields.ts";
import type { Frame } from "./frame.ts";

/** Content up to this size travels in one frame, and larger content in pieces: nine of ten messages are smaller. */
export const smallMessageBytes = 128 * 1024;

/** Octets of one `data` frame at the most. */
export const dataBytes = 256 * 1024;

/** Who hands the message in: the words of the queue's Received line. */
export const origins = ["network", "bounce", "alias", "uid"] as const;
export type Origin = (typeof origins)[number];

export interface EnvelopeFields {
  readonly origin: Origin;
  readonly uid: number;
  readonly sender: string;
  readonly recipients: readonly string[];
}

export type QueueRequest =
  | { readonly op: "message"; readonly id: number; readonly envelope: EnvelopeFields; readonly content: Uint8Array }
  | { readonly op: "open"; readonly id: number; readonly origin: Origin; readonly uid: number }
  | { readonly op: "data"; readonly id: number; readonly content: Uint8Array }
  | { readonly op: "close"; readonly id: number; readonly envelope: EnvelopeFields }
  | { readonly op: "abort"; readonly id: number };

export interface QueueReply {
  readonly code: number;
  readonly qp: number;
}

function parseEnvelope(frame: Frame): EnvelopeFields {
  return {
    origin: field.oneOf(frame.head, "origin", origins),
    uid: field.wholeNumber(frame.head, "uid"),
    sender: field.address(frame.head, "sender"),
    recipients: field.addresses(frame.head, "recipients"),
  };
}

/** Throws ProtocolError. */
export function parseQueueRequest(frame: Frame): QueueRequest {
  const id = field.wholeNumber(frame.head, "id");
  const op = field.oneOf(frame.head, "op", ["message", "open", "data", "close", "abort"]);
  switch (op) {
    case "message":
      return { op, id, envelope: parseEnvelope(frame), content: frame.body };
    case "open":
      return { op, id, origin: field.oneOf(frame.head, "origin", origins), uid: field.wholeNumber(frame.head, "uid") };
    case "data":
      return { op, id, content: frame.body };
    case "close":
      return { op, id, envelope: parseEnvelope(frame) };
    case "abort":
      return { op, id };
  }
}

/** Throws ProtocolError. */
export function parseQueueReply(frame: Frame): QueueReply {
  return { code: field.wholeNumber(frame.head, "code"), qp: field.wholeNumber(frame.head, "qp") };
}

/** From qmail-queue to qmail-send: these are in todo; or, when asked, of those I am writing none but the ones left out. */
export type QueueNotice =
  | { readonly op: "todo"; readonly messages: readonly number[] }
  | { readonly op: "abandoned"; readonly messages: readonly number[] };

/** Throws ProtocolError. */
export function parseQueueNotice(frame: Frame): QueueNotice {
  return {
    op: field.oneOf(frame.head, "op", ["todo", "abandoned"]),
    messages: field.wholeNumbers(frame.head, "messages"),
  };
}
