/**
 * What a server says it can do, in its reply to EHLO or LHLO (RFC 5321 §4.1.1.1): the extensions a client here makes use
 * of.
 * @module
 */
import type { Reply } from "../lib/smtp/reply.ts";

/** RFC 9422 §4; each is 1 or more, and absent where the server names none. */
export interface PeerLimits {
  /** Transactions on one connection. */
  readonly mailMax?: number;
  /** Recipients of one transaction, and domains among them. */
  readonly rcptMax?: number;
  readonly rcptDomainMax?: number;
}

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
  /** RFC 3207. */
  readonly startTls: boolean;
  /** RFC 8689; means something within TLS only. */
  readonly requireTls: boolean;
  /** Both of RFC 3030: what binary content needs. */
  readonly chunking: boolean;
  readonly binaryMime: boolean;
  /** SASL mechanisms on offer (RFC 4954), upper case; none: no AUTH. */
  readonly auth: readonly string[];
  readonly limits: PeerLimits;
}

/** A server that only knows HELO. */
export const plainPeer: Peer = {
  pipelining: false,
  eightBitMime: false,
  smtpUtf8: false,
  dsn: false,
  size: undefined,
  startTls: false,
  requireTls: false,
  chunking: false,
  binaryMime: false,
  auth: [],
  limits: {},
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
    startTls: keywords.has("STARTTLS"),
    requireTls: keywords.has("REQUIRETLS"),
    chunking: keywords.has("CHUNKING"),
    binaryMime: keywords.has("BINARYMIME"),
    auth: reply.lines.slice(1).flatMap(mechanismsOf),
    limits: parseLimits(keywords.get("LIMITS") ?? ""),
  };
}

function parseSize(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  return /^[0-9]{1,15}$/.test(value) ? Number(value) : 0;
}

/** Some servers say `AUTH=` beside `AUTH`, for clients older than RFC 4954; a few say nothing else. */
function mechanismsOf(line: string): readonly string[] {
  return /^AUTH[ =]/i.test(line) ? line.slice(5).toUpperCase().split(" ").filter((word) => word !== "") : [];
}

function parseLimits(value: string): PeerLimits {
  const limits = new Map(
    value.toUpperCase().split(" ").flatMap((word): [string, number][] => {
      const match = /^([A-Z]+)=([1-9][0-9]{0,5})$/.exec(word);
      return match === null ? [] : [[match[1]!, Number(match[2])]];
    }),
  );
  const limit = <Name extends keyof PeerLimits>(name: Name, word: string): PeerLimits => {
    const most = limits.get(word);
    return most === undefined ? {} : { [name]: most };
  };
  return { ...limit("mailMax", "MAILMAX"), ...limit("rcptMax", "RCPTMAX"), ...limit("rcptDomainMax", "RCPTDOMAINMAX") };
}
