/**
 * What multilog is asked about the log that it keeps (socket `multilog`): the life of a message, the lives an address took
 * part in, the newest lines, and how much happened in each minute. Every request carries an `id`, its reply the same.
 *
 * Files are read backwards from the newest line, and no further than a time and an amount allow: `whole` is false where
 * older lines were not looked at, so that what is missing may stand there.
 * @module
 */
import {
  type LifeSummary,
  type LogLine,
  longestText,
  type RateMinute,
  rateNames,
  type TraceEvent,
  traceKinds,
  traceTies,
} from "../trace/event.ts";
import * as field from "./fields.ts";
import type { Frame, RawHead } from "./frame.ts";
import { ProtocolError } from "./server.ts";

/** Of one answer, at the most. */
export const mostEvents = 2000;
export const mostLives = 100;
export const mostLines = 1000;

export type TraceRequest =
  /** `life`: 1 is the last one that the number had, 2 the one before. */
  | { readonly op: "trace message"; readonly id: number; readonly message: number; readonly life: number }
  /** Without angle brackets, compared without regard to case; `@domain`: everybody there. */
  | { readonly op: "trace address"; readonly id: number; readonly address: string; readonly count: number }
  /** `after`: the cursor of an earlier answer; only lines that came since. */
  | {
    readonly op: "tail";
    readonly id: number;
    readonly count: number;
    readonly component?: string;
    /** Printable ASCII, compared without regard to case. */
    readonly contains?: string;
    readonly after?: string;
  }
  | { readonly op: "rates"; readonly id: number };

/**
 * Reads `{op:"trace", message}`, `{op:"trace", message, life}`, `{op:"trace", address, count}`,
 * `{op:"tail", count, component?, contains?, after?}` and `{op:"rates"}`. Throws ProtocolError.
 */
export function parseTraceRequest({ head }: Frame): TraceRequest {
  const id = field.wholeNumber(head, "id");
  const op = field.oneOf(head, "op", ["trace", "tail", "rates"]);
  switch (op) {
    case "rates":
      return { op, id };
    case "tail":
      return {
        op,
        id,
        count: atMost(head, "count", mostLines),
        ...optional("component", field.optionalText(head, "component", 100)),
        ...optional("contains", field.optionalText(head, "contains", 1000)),
        ...optional("after", field.optionalText(head, "after", 100)),
      };
    case "trace": {
      if (head["address"] === undefined) {
        const life = head["life"] === undefined ? 1 : field.wholeNumber(head, "life");
        return { op: "trace message", id, message: field.wholeNumber(head, "message"), life: Math.max(1, life) };
      }
      const count = head["count"] === undefined ? 20 : atMost(head, "count", mostLives);
      return { op: "trace address", id, address: field.address(head, "address"), count };
    }
  }
}

function atMost(head: RawHead, name: string, most: number): number {
  return Math.min(field.wholeNumber(head, name), most);
}

function optional<const K extends string, V>(name: K, value: V | undefined): { readonly [key in K]?: V } {
  return value === undefined ? {} : { [name]: value } as { readonly [key in K]?: V };
}

/** How far back was looked: to `oldestMs` (ms since 1970; 0: there was no line). */
export interface Looked {
  readonly whole: boolean;
  readonly oldestMs: number;
}

/** A message's life. No events: there is no such life in what was looked at. */
export interface MessageTrace extends Looked {
  readonly message: number;
  readonly life: number;
  /** Lives of this number that were found, this one among them. */
  readonly lives: number;
  /** In the order of time. */
  readonly events: readonly TraceEvent[];
  /** There were more than {@link mostEvents}: the oldest and the newest of them are here. */
  readonly cut: boolean;
}

/** Throws ProtocolError. */
export function parseMessageTrace({ head }: Frame): MessageTrace {
  return {
    ...parseLooked(head),
    message: field.wholeNumber(head, "message"),
    life: field.wholeNumber(head, "life"),
    lives: field.wholeNumber(head, "lives"),
    events: field.objects(head, "events").map(parseTraceEvent),
    cut: field.flag(head, "cut"),
  };
}

export interface AddressTrace extends Looked {
  /** The newest first. */
  readonly lives: readonly LifeSummary[];
  /** What was refused to or from this address and so is no message; the newest first. */
  readonly refusals: readonly TraceEvent[];
}

/** Throws ProtocolError. */
export function parseAddressTrace({ head }: Frame): AddressTrace {
  return {
    ...parseLooked(head),
    lives: field.objects(head, "lives").map(parseLife),
    refusals: field.objects(head, "refusals").map(parseTraceEvent),
  };
}

export interface Tail extends Looked {
  /** In the order of time. */
  readonly lines: readonly LogLine[];
  /** For `after` of the next request. One that multilog does not know (it was restarted) counts as absent. */
  readonly cursor: string;
}

/** Throws ProtocolError. */
export function parseTail({ head }: Frame): Tail {
  return {
    ...parseLooked(head),
    lines: field.objects(head, "lines").map((line) => ({
      atMs: field.wholeNumber(line, "atMs"),
      component: field.text(line, "component", 100),
      text: field.text(line, "text", longestText),
    })),
    cursor: field.text(head, "cursor", 100),
  };
}

/** 60 minutes, the oldest first, the last one still under way. `sinceMs`: there are no lines from before that. */
export interface Rates {
  readonly sinceMs: number;
  readonly minutes: readonly RateMinute[];
}

/** Throws ProtocolError. */
export function parseRates({ head }: Frame): Rates {
  return {
    sinceMs: field.wholeNumber(head, "sinceMs"),
    minutes: field.objects(head, "minutes").map((minute) => ({
      startMs: field.wholeNumber(minute, "startMs"),
      ...Object.fromEntries(rateNames.map((name) => [name, field.wholeNumber(minute, name)])),
    } as RateMinute)),
  };
}

function parseLooked(head: RawHead): Looked {
  return { whole: field.flag(head, "whole"), oldestMs: field.wholeNumber(head, "oldestMs") };
}

function number(head: RawHead, name: string): number | undefined {
  return head[name] === undefined ? undefined : field.wholeNumber(head, name);
}

/** The fields of an event that not every line has. */
const [eventNumbers, eventTexts] = [
  ["message", "qp", "delivery", "bytes", "reply", "nextMs"] as const,
  ["sender", "recipient", "tls", "ip", "helo", "login", "rule"] as const,
];

function parseTraceEvent(head: RawHead): TraceEvent {
  const known: Record<string, string | number> = {};
  for (const name of eventNumbers) {
    const value = number(head, name);
    if (value !== undefined) known[name] = value;
  }
  for (const name of eventTexts) {
    const value = field.optionalText(head, name, longestText);
    if (value !== undefined) known[name] = value;
  }
  return {
    atMs: field.wholeNumber(head, "atMs"),
    component: field.text(head, "component", 100),
    kind: field.oneOf(head, "kind", traceKinds),
    text: field.text(head, "text", longestText),
    tie: field.oneOf(head, "tie", traceTies),
    ...optional(
      "channel",
      head["channel"] === undefined ? undefined : field.oneOf(head, "channel", ["local", "remote"]),
    ),
    ...known,
  };
}

function parseLife(head: RawHead): LifeSummary {
  const recipients = head["recipients"];
  if (!Array.isArray(recipients)) throw new ProtocolError(`expected a list in the field "recipients"`);
  return {
    message: field.wholeNumber(head, "message"),
    life: field.wholeNumber(head, "life"),
    ...optional("qp", number(head, "qp")),
    ...optional("sender", field.optionalText(head, "sender")),
    recipients: recipients.map((recipient) => field.text({ recipient }, "recipient")),
    recipientCount: field.wholeNumber(head, "recipientCount"),
    ...optional("bytes", number(head, "bytes")),
    firstMs: field.wholeNumber(head, "firstMs"),
    lastMs: field.wholeNumber(head, "lastMs"),
    ended: field.flag(head, "ended"),
    delivered: field.wholeNumber(head, "delivered"),
    deferred: field.wholeNumber(head, "deferred"),
    failed: field.wholeNumber(head, "failed"),
  };
}
