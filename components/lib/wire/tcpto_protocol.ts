/**
 * qmail-remote's table of hosts that time out (qmail's tcpto). Anybody may see it: it is what the socket `remote-status`
 * answers to `{op:"status"}`. `{op:"tcpok"}` on the socket `qmail-remote`, which only root and members of the queue's
 * group reach, clears it.
 * @module
 */
import * as field from "./fields.ts";
import type { Frame, RawHead } from "./frame.ts";
import { ProtocolError } from "./server.ts";

/** An address to which connections timed out lately. */
export interface TcptoRecord {
  /** IPv4, or IPv6 as RFC 5952 writes it. */
  readonly address: string;
  /** Since the last timeout that was counted. */
  readonly ageSeconds: number;
  /** From 1 to 10; an address is passed over from 2 on. */
  readonly timeouts: number;
}

/** What qmail-remote tells on `remote-status`. */
export interface RemoteStatus {
  /** The one that timed out longest ago first. */
  readonly tcpTimeouts: readonly TcptoRecord[];
}

/** An IPv6 address with a zone; a zone is an interface's name. */
const longestAddress = 64;

/** Throws ProtocolError. */
export function parseRemoteStatus({ head }: Frame): RemoteStatus {
  const records = head["tcpTimeouts"];
  if (!Array.isArray(records)) throw new ProtocolError(`expected a list in the field "tcpTimeouts"`);
  return { tcpTimeouts: records.map(parseRecord) };
}

function parseRecord(value: unknown): TcptoRecord {
  if (typeof value !== "object" || value === null) throw new ProtocolError("a record that is no object");
  const head = value as RawHead;
  const address = field.text(head, "address", longestAddress);
  // It goes to a terminal as it is.
  if (!/^[!-~]+$/.test(address)) throw new ProtocolError(`expected printable octets in the field "address"`);
  return {
    address,
    ageSeconds: field.wholeNumber(head, "ageSeconds"),
    timeouts: field.wholeNumber(head, "timeouts"),
  };
}

export interface TcpokRequest {
  readonly op: "tcpok";
  readonly id: number;
}

/** Reads a frame whose op is "tcpok". Throws ProtocolError. The answer is the id alone. */
export function parseTcpokRequest({ head }: Frame): TcpokRequest {
  return { op: field.oneOf(head, "op", ["tcpok"]), id: field.wholeNumber(head, "id") };
}
