/**
 * What the component `auth` is asked (socket `auth`): exchanges, each under a number that the connection chooses.
 *
 * `start` begins one, with the client's initial response as its body where `initial` says that there is one, and is
 * answered by the first step; `next` goes on with the response in its body. `cancel` ends one and is not answered; so
 * does the end of the connection. A step's octets (challenge, final) are the body of its frame.
 *
 * Who has logged in to read mail gets a ticket with the success. What opens mailboxes asks on a socket of its own
 * (`auth-tickets`) whose login it was: `redeem`, answered once for each ticket, or `whose`, which leaves it good for
 * another that opens this kind of mailbox.
 * @module
 */
import type { AuthClient, AuthStep, Mechanism } from "../sasl/authenticator.ts";
import { toOctets } from "../octets.ts";
import * as field from "./fields.ts";
import type { Frame } from "./frame.ts";
import { ProtocolError } from "./server.ts";

/** All of them, as {@link Mechanism} names them. */
const mechanisms = [
  "PLAIN",
  "LOGIN",
  "CRAM-MD5",
  "SCRAM-SHA-256",
  "SCRAM-SHA-256-PLUS",
  "APOP",
] as const satisfies Mechanism[];

/** More than any response of a client that means well; mechanisms have limits of their own. */
export const longestResponse = 16_384;
/** Of a ticket; see components/auth/tickets.ts. */
export const longestTicket = 64;
/** The hash of a certificate: SHA-512's 64 octets at the most. */
const longestEndPoint = 64;

export type AuthRequest =
  | {
    readonly op: "start";
    readonly id: number;
    readonly exchange: number;
    readonly mechanism: Mechanism;
    readonly client: AuthClient;
    readonly response: Uint8Array | undefined;
  }
  | { readonly op: "next"; readonly id: number; readonly exchange: number; readonly response: Uint8Array }
  | { readonly op: "cancel"; readonly exchange: number };

/** Throws ProtocolError. */
export function parseAuthRequest({ head, body }: Frame): AuthRequest {
  const op = field.oneOf(head, "op", ["start", "next", "cancel"]);
  const exchange = field.wholeNumber(head, "exchange");
  if (op === "cancel") return { op, exchange };
  if (body.length > longestResponse) {
    throw new ProtocolError(`expected at most ${longestResponse} octets of a response`);
  }
  const id = field.wholeNumber(head, "id");
  if (op === "next") return { op, id, exchange, response: body };
  const endPoint = field.optionalText(head, "endPoint", longestEndPoint);
  return {
    op,
    id,
    exchange,
    mechanism: field.oneOf(head, "mechanism", mechanisms),
    client: {
      ip: field.text(head, "ip", 64),
      entrance: field.text(head, "entrance", 64),
      tls: field.flag(head, "tls"),
      ...(endPoint === undefined ? {} : { endPoint: toOctets(endPoint) }),
    },
    response: field.flag(head, "initial") ? body : undefined,
  };
}

/** A step as the head and the body of a frame. */
export function formatAuthStep(step: AuthStep): { readonly head: object; readonly body: Uint8Array | undefined } {
  switch (step.kind) {
    case "challenge":
      return { head: { kind: step.kind }, body: step.challenge };
    case "success":
      return {
        head: {
          kind: step.kind,
          login: step.login,
          final: step.final !== undefined,
          ...(step.ticket === undefined ? {} : { ticket: step.ticket }),
        },
        body: step.final,
      };
    case "failure":
      return { head: step, body: undefined };
  }
}

/** Throws ProtocolError. */
export function parseAuthStep({ head, body }: Frame): AuthStep {
  const kind = field.oneOf(head, "kind", ["challenge", "success", "failure"]);
  if (kind === "challenge") return { kind, challenge: body };
  if (kind === "success") {
    const login = field.address(head, "login");
    const ticket = field.optionalText(head, "ticket", longestTicket);
    return {
      kind,
      login,
      ...(field.flag(head, "final") ? { final: body } : {}),
      ...(ticket === undefined ? {} : { ticket }),
    };
  }
  const reason = field.oneOf(head, "reason", ["credentials", "malformed", "throttled", "unavailable"]);
  return head["delayMs"] === undefined
    ? { kind, reason }
    : { kind, reason, delayMs: field.wholeNumber(head, "delayMs") };
}

export interface RedeemRequest {
  readonly op: "redeem" | "whose";
  readonly id: number;
  readonly ticket: string;
}

/** `none`: it was never given, was redeemed before, or is too old. */
export type RedeemReply = { readonly kind: "login"; readonly login: string } | { readonly kind: "none" };

/** Throws ProtocolError. */
export function parseRedeemRequest({ head }: Frame): RedeemRequest {
  const op = field.oneOf(head, "op", ["redeem", "whose"]);
  return { op, id: field.wholeNumber(head, "id"), ticket: field.text(head, "ticket", longestTicket) };
}

/** Throws ProtocolError. */
export function parseRedeemReply({ head }: Frame): RedeemReply {
  const kind = field.oneOf(head, "kind", ["login", "none"]);
  return kind === "login" ? { kind, login: field.address(head, "login") } : { kind };
}
