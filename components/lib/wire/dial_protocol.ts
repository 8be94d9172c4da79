/**
 * Connections over IPv6 (socket `dial6`). Who connects there sends one frame, `{op:"dial", address, port}` with
 * `localAddress` where it matters from which, and nothing more until dial6 has answered with one octet. After
 * "connected" the same connection carries the octets of both sides, whatever they are, until each has ended its own;
 * after any other answer it ends.
 * @module
 */
import * as field from "./fields.ts";
import type { Frame } from "./frame.ts";
import { ProtocolError } from "./server.ts";

/** `unreachable`: no way there. `not granted`: dial6 may not connect to that address or port, or from that address. */
export const dialAnswers = ["connected", "refused", "timeout", "unreachable", "not granted"] as const;
export type DialAnswer = (typeof dialAnswers)[number];

export interface DialRequest {
  /** IPv6, without brackets. */
  readonly address: string;
  readonly port: number;
  /** IPv6 address of this machine to connect from. */
  readonly localAddress?: string;
}

/** A request has an address or two in it, and no body. */
export const longestDialRequest = 1024;
const longestAddress = 45;
const octets = "CRTUN";

/** Throws ProtocolError. */
export function parseDialRequest(frame: Frame): DialRequest {
  if (frame.head["op"] !== "dial") throw new ProtocolError(`expected the request "dial"`);
  const localAddress = field.optionalText(frame.head, "localAddress", longestAddress);
  const port = field.wholeNumber(frame.head, "port");
  if (port < 1 || port > 65_535) throw new ProtocolError("expected a port");
  return {
    address: field.text(frame.head, "address", longestAddress),
    port,
    ...(localAddress === undefined ? {} : { localAddress }),
  };
}

/** The octet that says `answer`. */
export function formatDialAnswer(answer: DialAnswer): Uint8Array {
  return new Uint8Array([octets.charCodeAt(dialAnswers.indexOf(answer))]);
}

/** What an octet says; undefined: nothing that dial6 would say. */
export function parseDialAnswer(octet: number): DialAnswer | undefined {
  return dialAnswers[octets.indexOf(String.fromCharCode(octet))];
}
