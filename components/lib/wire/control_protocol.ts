/**
 * What an operator asks qmail-send for (socket `send-control`, for qmail-send's own user, admin and root alone): changes
 * to messages in the queue, all that is known of one, which ones there are, the pace of destinations, deliveries to one
 * paused, and the journal emptied. Every request carries an `id`, its reply carries the same; where files cannot be read
 * or written it has `trouble` and nothing else.
 * @module
 */
import { lowerCaseAscii } from "../address/parse_domain.ts";
import { type Channel, channels } from "../queue/layout.ts";
import * as field from "./fields.ts";
import type { Frame, RawHead } from "./frame.ts";
import { ProtocolError } from "./server.ts";

/** What can be done to a message. */
export const actions = ["retry", "hold", "release", "expire", "delete"] as const;
export type Action = (typeof actions)[number];

/** Which messages are meant; both absent: all. Octet strings; compared without regard to the case of ASCII letters. */
export interface Selection {
  /** The reverse-path; "" for the null one. */
  readonly sender?: string | undefined;
  /** They have recipients left in this domain. */
  readonly domain?: string | undefined;
}

/**
 * `find`: the messages of one part of the queue. Part 0 is what qmail-send has in memory, the others are folders; whoever
 * asks for all parts in this order misses no message that was there all the time. `drain`: no new message goes into the
 * journal and those in it move into the layout, until that is undone or qmail-send restarted. `pause`: no remote delivery
 * to a destination is begun until `resume`, restarts included.
 */
export type ControlRequest =
  | { readonly op: Action; readonly id: number; readonly messages: readonly number[] }
  | { readonly op: "find"; readonly id: number; readonly part: number; readonly selection: Selection }
  | { readonly op: "show"; readonly id: number; readonly message: number }
  | { readonly op: "destinations"; readonly id: number; readonly count: number }
  | { readonly op: "pause" | "resume"; readonly id: number; readonly destination: string }
  | { readonly op: "drain"; readonly id: number; readonly undo: boolean };

/** Messages of one request at the most: it is answered when all of them are done. */
export const mostAtOnce = 500;

/** Throws ProtocolError. */
export function parseControlRequest({ head }: Frame): ControlRequest {
  const id = field.wholeNumber(head, "id");
  const op = field.oneOf(head, "op", [...actions, "find", "show", "destinations", "pause", "resume", "drain"]);
  switch (op) {
    case "find": {
      const selection = { sender: optionalAddress(head, "sender"), domain: optionalAddress(head, "domain") };
      return { op, id, part: field.wholeNumber(head, "part"), selection };
    }
    case "show":
      return { op, id, message: field.wholeNumber(head, "message") };
    case "destinations":
      return { op, id, count: field.wholeNumber(head, "count") };
    case "pause":
    case "resume":
      return { op, id, destination: parseDestination(head) };
    case "drain":
      return { op, id, undo: field.flag(head, "undo") };
    default:
      return { op, id, messages: field.wholeNumbers(head, "messages") };
  }
}

/** Destinations that may be paused. */
export const mostPaused = 1000;
/** Longer than any domain (RFC 1035 §2.3.4). */
const longestDestination = 255;

/**
 * A site's or domain's name as qmail-send compares it, from what somebody wrote; undefined: it can be none. Octet string.
 */
export function destinationOf(text: string): string | undefined {
  const isName = text.length <= longestDestination && /^[!-?A-~\x80-\xff]+$/.test(text);
  return isName ? lowerCaseAscii(text) : undefined;
}

function parseDestination(head: RawHead): string {
  const name = destinationOf(field.text(head, "destination", longestDestination));
  if (name === undefined) throw new ProtocolError(`expected a site or domain in the field "destination"`);
  return name;
}

/** What became of an action on one message. */
export interface ActionResult {
  readonly message: number;
  readonly done: boolean;
  /** Whether there is no such message (any more). */
  readonly gone: boolean;
  /** What was done, or why not. */
  readonly detail: string;
}

/** Throws ProtocolError. */
export function parseActionReply({ head }: Frame): readonly ActionResult[] {
  return field.objects(head, "results").map((result) => ({
    message: field.wholeNumber(result, "message"),
    done: field.flag(result, "done"),
    gone: field.flag(result, "gone"),
    detail: field.text(result, "detail"),
  }));
}

export interface FoundPart {
  readonly messages: readonly number[];
  /** How many parts there are. */
  readonly parts: number;
}

/** Throws ProtocolError. */
export function parseFindReply({ head }: Frame): FoundPart {
  return { messages: field.wholeNumbers(head, "messages"), parts: field.wholeNumber(head, "parts") };
}

/** What is done for a message at the moment. `new`: its first attempt has not begun. */
export const messageStates = ["new", "first attempt", "being delivered", "waiting", "held", "ending"] as const;
export type MessageState = (typeof messageStates)[number];

export interface ShownRecipient {
  readonly address: string;
  readonly done: boolean;
  /**
   * Its attempts that did not succeed, the time of the last one (seconds since 1970), and what that one's report said
   * (octets): those that qmail-send remembers, since it was started. Absent: none.
   */
  readonly attempts?: number | undefined;
  readonly lastSeconds?: number | undefined;
  readonly lastError?: string | undefined;
}

export interface ShownChannel {
  readonly channel: Channel;
  /** The first ones of them, at most {@link mostShownRecipients}; of a channel that is done with, none are known. */
  readonly recipients: readonly ShownRecipient[];
  readonly left: number;
  readonly done: number;
  /** Seconds since 1970; absent while an attempt runs, or has not begun. */
  readonly nextSeconds?: number | undefined;
  readonly held: boolean;
  /** Since when, seconds since 1970; absent where it is not, or nobody knows. */
  readonly heldSinceSeconds?: number | undefined;
}

export const mostShownRecipients = 1000;
/** Octets of a message's header that are shown, and of its paragraphs. */
export const mostShownBytes = 64 * 1024;
/** Octets of a recipient's last error. */
export const longestShownError = 300;

/** All that is known of one message. Its header is the frame's body. */
export interface ShownMessage {
  readonly message: number;
  readonly sender: string;
  readonly birthSeconds: number;
  readonly sizeBytes: number;
  readonly journal: boolean;
  readonly state: MessageState;
  readonly channels: readonly ShownChannel[];
  /** The bounce's paragraphs of recipients that failed, as octets. */
  readonly failures: string;
}

/** Undefined: there is no such message. Throws ProtocolError. */
export function parseShowReply({ head }: Frame): ShownMessage | undefined {
  if (head["found"] === undefined) return undefined;
  const found = field.object(head, "found");
  return {
    message: field.wholeNumber(found, "message"),
    sender: field.address(found, "sender"),
    birthSeconds: field.wholeNumber(found, "birthSeconds"),
    sizeBytes: field.wholeNumber(found, "sizeBytes"),
    journal: field.flag(found, "journal"),
    state: field.oneOf(found, "state", messageStates),
    channels: field.objects(found, "channels").map(parseShownChannel),
    failures: field.text(found, "failures", mostShownBytes),
  };
}

function parseShownChannel(head: RawHead): ShownChannel {
  return {
    channel: field.oneOf(head, "channel", channels),
    recipients: field.objects(head, "recipients").map((recipient) => ({
      address: field.address(recipient, "address"),
      done: field.flag(recipient, "done"),
      attempts: optionalNumber(recipient, "attempts"),
      lastSeconds: optionalNumber(recipient, "lastSeconds"),
      lastError: field.optionalText(recipient, "lastError", longestShownError),
    })),
    left: field.wholeNumber(head, "left"),
    done: field.wholeNumber(head, "done"),
    nextSeconds: optionalNumber(head, "nextSeconds"),
    held: field.flag(head, "held"),
    heldSinceSeconds: optionalNumber(head, "heldSinceSeconds"),
  };
}

/** Destinations of one answer at the most. */
export const mostDestinations = 1000;

/** One remote destination that has deliveries, or is paused by the operator. */
export interface ShownDestination {
  /** Of a site, or of a domain. */
  readonly name: string;
  /** Whether it is a site, whose domains share all of this. */
  readonly site: boolean;
  /** Deliveries under way. */
  readonly running: number;
  /** Deliveries that are still to be started; those that were put off until later are not among them. */
  readonly waiting: number;
  /** The most deliveries it may have under way now. */
  readonly window: number;
  /** Whether the last that was heard of it is that it cannot be reached. */
  readonly unreachable: boolean;
  /** By the operator. */
  readonly paused: boolean;
  /** Deliveries that may begin in a time, such as `100/60s`; "": as many as do. */
  readonly rate: string;
  /** After setbacks; ms since 1970, 0 where there is no pause. */
  readonly pausedUntilMs: number;
  /** Of the last delivery that did not succeed: the code of the reply (0: none), and what its report said. Octet string. */
  readonly lastCode: number;
  readonly lastError: string;
}

/** Throws ProtocolError. */
export function parseDestinationsReply({ head }: Frame): readonly ShownDestination[] {
  return field.objects(head, "destinations").map((one) => ({
    name: field.text(one, "name"),
    site: field.flag(one, "site"),
    running: field.wholeNumber(one, "running"),
    waiting: field.wholeNumber(one, "waiting"),
    window: field.wholeNumber(one, "window"),
    unreachable: field.flag(one, "unreachable"),
    paused: field.flag(one, "paused"),
    rate: field.text(one, "rate", 40),
    pausedUntilMs: field.wholeNumber(one, "pausedUntilMs"),
    lastCode: field.wholeNumber(one, "lastCode"),
    lastError: field.text(one, "lastError", 1000),
  }));
}

/** What kept qmail-send from an answer; undefined: nothing did. Throws ProtocolError. */
export function parseTrouble({ head }: Frame): string | undefined {
  return field.optionalText(head, "trouble");
}

/** What became of `pause` or `resume`. */
export interface PauseResult {
  readonly destination: string;
  /** Whether it was not so before. */
  readonly changed: boolean;
  /** All that are paused now. */
  readonly paused: readonly string[];
}

/** Throws ProtocolError. */
export function parsePauseReply({ head }: Frame): PauseResult {
  return {
    destination: field.address(head, "destination"),
    changed: field.flag(head, "changed"),
    paused: field.addresses(head, "paused"),
  };
}

/** Messages that were in the journal when it was asked for. Throws ProtocolError. */
export function parseDrainReply({ head }: Frame): number {
  return field.wholeNumber(head, "messages");
}

function optionalNumber(head: RawHead, name: string): number | undefined {
  return head[name] === undefined ? undefined : field.wholeNumber(head, name);
}

function optionalAddress(head: RawHead, name: string): string | undefined {
  return head[name] === undefined ? undefined : field.address(head, name);
}
