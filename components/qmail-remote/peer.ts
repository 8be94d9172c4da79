/**
 * What a server says it can do, in its reply to EHLO (RFC 5321 §4.1.1.1): the extensions a client here makes use of.
 * @module
 */
import type { Reply } from "../lib/smtp/reply.ts";

export interface Peer {
  /** RFC 2920. */
  readonly pipelining: boolean;
  /** RFC 6152. */
  readonly eightBitMime: boolean;
  /** RFC 6531. */
  readonly smtpUtf8: boolean;
  /** RFC 3461. */
  readonly dsn: boolean;
  /** RFC 1870; the limit in bytes, 0 where the server names none. */
  readonly size: number | undefined;
}

/** A server that only knows HELO. */
export const plainPeer: Peer = {
  pipelining: false,
  eightBitMime: false,
  smtpUtf8: false,
  dsn: false,
  size: undefined,
};

/**
 * Reads the reply to EHLO; the first line is the server's name. Anything unknown or malformed is as if absent.
 *
 * @example
 * ```ts
 * import { parsePeer } from "./peer.ts";
 * parsePeer({ code: 250, lines: ["mx.example.org", "PIPELINING", "size 1000"] }).size; // 1000
 * ```
 */
export function parsePeer(reply: Reply): Peer {
  const keywords = new Map(
    reply.lines.slice(1).map((line): [string, string] => {
      const blank = line.indexOf(" ");
      return blank < 0 ? [line.toUpperCase(), ""] : [line.slice(0, blank).toUpperCase(), line.slice(blank + 1)];
    }),
  );
  return {
    pipelining: keywords.has("PIPELINING"),
    eightBitMime: keywords.has("8BITMIME"),
    smtpUtf8: keywords.has("SMTPUTF8"),
    dsn: keywords.has("DSN"),
    size: parseSize(keywords.get("SIZE")),
  };
}

function parseSize(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  return /^[0-9]{1,15}$/.test(value) ? Number(value) : 0;
}
