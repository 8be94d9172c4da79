/**
 * What CAPA answers (RFC 2449).
 * @module
 */
import type { Mechanism } from "../sasl/authenticator.ts";

export interface Offer {
  /** USER and PASS may be used. */
  readonly user: boolean;
  /** Strongest first; none: no AUTH. */
  readonly mechanisms: readonly Mechanism[];
  readonly stls: boolean;
}

export function capabilitiesReply({ user, mechanisms, stls }: Offer): string {
  const lines = [
    "+OK",
    "TOP",
    "UIDL",
    ...(user ? ["USER"] : []),
    ...(mechanisms.length > 0 ? [`SASL ${mechanisms.join(" ")}`] : []),
    ...(stls ? ["STLS"] : []),
    "RESP-CODES",
    "AUTH-RESP-CODE",
    "PIPELINING",
    ".",
  ];
  return lines.map((line) => `${line}\r\n`).join("");
}
