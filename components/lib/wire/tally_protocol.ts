/**
 * What tally is asked (socket `tally`): `greylist`, whether a client has come back with the same message as one has to
 * that is served by a queue; `count`, whether something has happened too often lately. Each request has an id, many may
 * be under way at once.
 * @module
 */
import * as field from "./fields.ts";
import type { Frame, RawHead } from "./frame.ts";
import { ProtocolError } from "./server.ts";

/** Longer than any address, IPv6 with a zone included; "unknown" is one as well. */
const longestIp = 64;
/** A day. Who is told to wait longer than a triplet is remembered could never come back in time. */
export const mostWaitSeconds = 86_400;
/** A month of 31 days. */
export const mostPerSeconds = 31 * 86_400;

export interface GreylistRequest {
  readonly op: "greylist";
  readonly id: number;
  /** The client's address, one spelling of it, or "unknown". */
  readonly ip: string;
  /** Reverse-path without brackets, "" for the null one; an octet string. */
  readonly sender: string;
  /** Forward-path without brackets; an octet string. */
  readonly recipient: string;
  /** How long a triplet that was never seen has to wait: control/greylist; at most {@link mostWaitSeconds}. */
  readonly waitSeconds: number;
}

export interface CountRequest {
  readonly op: "count";
  readonly id: number;
  /** What is counted, named by the one who asks: "client 192.0.2.1", say. An octet string without NUL. */
  readonly key: string;
  /** How much of it may happen in any `perSeconds`. */
  readonly limit: number;
  /** From 1 to {@link mostPerSeconds}. A key has a count of its own for each length of time. */
  readonly perSeconds: number;
  /** How much of it happens now: at least 1, which is also the default. */
  readonly by: number;
}

export type TallyRequest = GreylistRequest | CountRequest;

/** `wait`: refuse it for now (4yz); a try before `seconds` are over is refused as well. */
export type GreylistReply = { readonly kind: "pass" } | { readonly kind: "wait"; readonly seconds: number };

/** `over`: it was not counted; after `retrySeconds` it would be within, if nothing else happened. */
export type CountReply = { readonly kind: "within" } | { readonly kind: "over"; readonly retrySeconds: number };

function numberFrom(head: RawHead, name: string, least: number, most: number): number {
  const value = field.wholeNumber(head, name);
  if (value < least || value > most) {
    throw new ProtocolError(`expected a number from ${least} to ${most} in the field "${name}"`);
  }
  return value;
}

/** Throws ProtocolError. */
export function parseTallyRequest({ head }: Frame): TallyRequest {
  const op = field.oneOf(head, "op", ["greylist", "count"]);
  const id = field.wholeNumber(head, "id");
  if (op === "greylist") {
    return {
      op,
      id,
      ip: field.text(head, "ip", longestIp),
      sender: field.address(head, "sender"),
      recipient: field.address(head, "recipient"),
      waitSeconds: numberFrom(head, "waitSeconds", 0, mostWaitSeconds),
    };
  }
  return {
    op,
    id,
    key: field.address(head, "key"),
    limit: field.wholeNumber(head, "limit"),
    perSeconds: numberFrom(head, "perSeconds", 1, mostPerSeconds),
    by: head["by"] === undefined ? 1 : numberFrom(head, "by", 1, Number.MAX_SAFE_INTEGER),
  };
}

/** Throws ProtocolError. */
export function parseGreylistReply({ head }: Frame): GreylistReply {
  const kind = field.oneOf(head, "kind", ["pass", "wait"]);
  return kind === "pass" ? { kind } : { kind, seconds: field.wholeNumber(head, "seconds") };
}

/** Throws ProtocolError. */
export function parseCountReply({ head }: Frame): CountReply {
  const kind = field.oneOf(head, "kind", ["within", "over"]);
  return kind === "within" ? { kind } : { kind, retrySeconds: field.wholeNumber(head, "retrySeconds") };
}
