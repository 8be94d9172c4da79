/**
 * What qmail-queue is asked (socket `qmail-queue`), and what it tells qmail-send (socket `qmail-send`).
 *
 * A small message is one frame, `message`. A larger one is `open`, any number of `data`, and `close` with the envelope;
 * `abort`, or the end of the connection, drops it. The reply carries the same id: `code` as qmail-queue's exit codes,
 * `qp` its number in the log. Whoever asked and lost the connection does not know; asking again may queue it twice.
 * @module
 */
import { parseMessageOptions } from "../queue/message_options.ts";
import * as field from "./fields.ts";
import type { Frame, RawHead } from "./frame.ts";
import { ProtocolError } from "./server.ts";

/** Content up to this size travels in one frame, and larger content in pieces: nine of ten messages are smaller. */
export const smallMessageBytes = 128 * 1024;

/**
 * Recipients an envelope may have to be delivered to before it stands in info, local and remote: more would be too many
 * to repeat after a crash.
 */
export const mostFirstAttempt = 100;

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
  /** What the client asked for beside them, as formatMessageOptions() writes it; absent: nothing. */
  readonly options?: string;
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
  /** Of a program in qmail-queue's place: what to say of the code instead of exitText(), in its form. */
  readonly text?: string;
}

function parseEnvelope(frame: Frame): EnvelopeFields {
  return {
    origin: field.oneOf(frame.head, "origin", origins),
    uid: field.wholeNumber(frame.head, "uid"),
    sender: field.address(frame.head, "sender"),
    recipients: field.addresses(frame.head, "recipients"),
    ...optionsField(frame.head),
  };
}

/** Octets of what a client asked for, at the most: some ten thousand recipients with all there is. */
export const longestOptions = 4 * 1024 * 1024;

/** The field "options", where it is there. Throws ProtocolError for one that parseMessageOptions() does not take. */
function optionsField(head: RawHead): { readonly options?: string } {
  if (head["options"] === undefined) return {};
  const options = field.text(head, "options", longestOptions);
  const parsed = parseMessageOptions(options);
  if (!parsed.ok) throw new ProtocolError(`options: ${parsed.error}`);
  return { options };
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
  const text = field.optionalText(frame.head, "text", 255);
  return {
    code: field.wholeNumber(frame.head, "code"),
    qp: field.wholeNumber(frame.head, "qp"),
    ...(text === undefined ? {} : { text }),
  };
}

/** A message in the journal, as qmail-queue tells of it. */
export interface JournalMessage {
  /** No other message of the journal ever has it. */
  readonly serial: number;
  readonly id: number;
  readonly place: JournalPlace;
  readonly birthSeconds: number;
  readonly sizeBytes: number;
  readonly qp: number;
  readonly uid: number;
  readonly sender: string;
  readonly recipients: readonly string[];
  /** As in {@link EnvelopeFields}. */
  readonly options?: string;
}

/** Where a message's record stands: who reads it finds the same serial there, or looks in mess. */
export interface JournalPlace {
  readonly serial: number;
  readonly segment: number;
  readonly offset: number;
  /** Octets of the whole record. */
  readonly bytes: number;
}

/**
 * From qmail-queue to qmail-send. `todo`: these are in todo. `journal`: these are in the journal. `abandoned`: of those
 * asked about by `writing`, nobody writes these. `settled`: these are done, no crash of a process brings them back.
 * `moved`: this one is in todo now, or (not `ok`) could not be moved. `vacate`: the journal needs the room of these; who
 * cannot say soon that they are done is to have them moved.
 */
export type QueueNotice =
  | { readonly op: "todo"; readonly messages: readonly number[] }
  | { readonly op: "journal"; readonly entries: readonly JournalMessage[] }
  | { readonly op: "abandoned"; readonly messages: readonly number[] }
  | { readonly op: "settled"; readonly serials: readonly number[] }
  | { readonly op: "moved"; readonly serial: number; readonly ok: boolean }
  | { readonly op: "vacate"; readonly serials: readonly number[]; readonly messages: readonly number[] };

/** Throws ProtocolError. */
export function parseQueueNotice(frame: Frame): QueueNotice {
  const { head } = frame;
  const op = field.oneOf(head, "op", ["todo", "journal", "abandoned", "settled", "moved", "vacate"]);
  switch (op) {
    case "todo":
    case "abandoned":
      return { op, messages: field.wholeNumbers(head, "messages") };
    case "journal":
      return { op, entries: field.objects(head, "entries").map(parseJournalMessage) };
    case "settled":
      return { op, serials: field.wholeNumbers(head, "serials") };
    case "moved":
      return { op, serial: field.wholeNumber(head, "serial"), ok: field.flag(head, "ok") };
    case "vacate":
      return { op, serials: field.wholeNumbers(head, "serials"), messages: field.wholeNumbers(head, "messages") };
  }
}

function parseJournalMessage(head: RawHead): JournalMessage {
  const place = parseJournalPlace(head, "place");
  if (place === undefined) throw new ProtocolError("a message of the journal without its place");
  return {
    serial: place.serial,
    id: field.wholeNumber(head, "id"),
    place,
    birthSeconds: field.wholeNumber(head, "birthSeconds"),
    sizeBytes: field.wholeNumber(head, "sizeBytes"),
    qp: field.wholeNumber(head, "qp"),
    uid: field.wholeNumber(head, "uid"),
    sender: field.address(head, "sender"),
    recipients: field.addresses(head, "recipients"),
    ...optionsField(head),
  };
}

/** The place in the field `name`; undefined where the field is absent. Throws ProtocolError. */
export function parseJournalPlace(head: RawHead, name: string): JournalPlace | undefined {
  if (head[name] === undefined) return undefined;
  const place = field.object(head, name);
  return {
    serial: field.wholeNumber(place, "serial"),
    segment: field.wholeNumber(place, "segment"),
    offset: field.wholeNumber(place, "offset"),
    bytes: field.wholeNumber(place, "bytes"),
  };
}

/**
 * From qmail-send to qmail-queue, on the connection that brings the notices. `writing`: which of these files in mess are
 * being written? `done`: these messages of the journal need nothing any more. `move`: put this one into the layout.
 * `accepting`: whether new messages may go into the journal.
 */
export type SendRequest =
  | { readonly op: "writing"; readonly messages: readonly number[] }
  | { readonly op: "done"; readonly serials: readonly number[] }
  | { readonly op: "move"; readonly serial: number; readonly message: number }
  | { readonly op: "accepting"; readonly accepting: boolean };

/** Throws ProtocolError. */
export function parseSendRequest({ head }: Frame): SendRequest {
  const op = field.oneOf(head, "op", ["writing", "done", "move", "accepting"]);
  switch (op) {
    case "writing":
      return { op, messages: field.wholeNumbers(head, "messages") };
    case "done":
      return { op, serials: field.wholeNumbers(head, "serials") };
    case "move":
      return { op, serial: field.wholeNumber(head, "serial"), message: field.wholeNumber(head, "message") };
    case "accepting":
      return { op, accepting: field.flag(head, "accepting") };
  }
}
