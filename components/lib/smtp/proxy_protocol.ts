/**
 * The header with which a proxy begins a connection, to say for whom it speaks (the PROXY protocol, versions 1 and 2). Who
 * has no such header from an address that is trusted must not be believed; that is the caller's to see to.
 *
 * A pure function of all octets since the connection's beginning. It never asks for an octet that may lie behind the
 * header, so a caller that reads as many as it is told has nothing left over, and what follows may be TLS.
 * @module
 */
import { ipFromOctets } from "../../../config/ip/address.ts";
import { formatIp } from "../../../config/ip/format_ip.ts";
import { parseIpv4, parseIpv6 } from "../../../config/ip/parse_ip.ts";
import { fromOctets } from "../octets.ts";

export interface ProxyEnd {
  /** As the header writes it (version 1), or in the plain form of its octets. */
  readonly ip: string;
  readonly port: number;
}

/** `own`: the proxy speaks for itself (LOCAL), or cannot say for whom: the connection's own addresses count. */
export type ProxyHeader =
  | { readonly kind: "own" }
  | { readonly kind: "proxied"; readonly source: ProxyEnd; readonly destination: ProxyEnd };

export type ProxyStep =
  /** The header is not whole; at least so many octets are still to come, and all of them are its own. */
  | { readonly kind: "more"; readonly least: number }
  | { readonly kind: "header"; readonly header: ProxyHeader; readonly rest: Uint8Array }
  /** No header, or a bad one; the connection is to be closed without a word. */
  | { readonly kind: "error"; readonly reason: string };

const signature = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const firstWord = "PROXY ";

/** Of version 1, CRLF included: what two addresses of the longest spelling take. */
const longestLine = 107;
/** The shortest lines there are, CRLF included: `PROXY UNKNOWN`, and `PROXY TCP6 :: :: 0 0`. */
const shortestUnknown = 15;
const shortestTcp = 22;

/** The fixed part of version 2. */
export const fixedProxyOctets = 16;
/**
 * Of what follows the fixed part of version 2. Addresses take 36 octets (216 of a Unix socket); the rest is for additions,
 * the longest of which in use is a client's certificate. Nobody needs the 65,535 that could be announced.
 */
export const longestRemainder = 4096;

/**
 * Reads the header at the beginning of `octets`, which are all that came.
 *
 * @example
 * ```ts
 * import { parseProxyHeader } from "./proxy_protocol.ts";
 * const octets = new TextEncoder().encode("PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\nEHLO x\r\n");
 * const step = parseProxyHeader(octets);
 * // kind "header", source 192.0.2.1 port 56324, rest "EHLO x\r\n"
 * ```
 */
export function parseProxyHeader(octets: Uint8Array): ProxyStep {
  if (octets.length === 0) return more(shortestUnknown);
  return octets[0] === signature[0] ? parseBinary(octets) : parseLine(octets);
}

function more(least: number): ProxyStep {
  return { kind: "more", least };
}

function bad(reason: string): ProxyStep {
  return { kind: "error", reason };
}

function parseBinary(octets: Uint8Array): ProxyStep {
  const known = Math.min(octets.length, signature.length);
  for (let at = 0; at < known; at++) if (octets[at] !== signature[at]) return bad("no header");
  if (octets.length < fixedProxyOctets) return more(fixedProxyOctets - octets.length);
  const [kind, family] = [octets[12]!, octets[13]!];
  const length = octets[14]! * 256 + octets[15]!;
  if (kind !== 0x20 && kind !== 0x21) return bad("version or command");
  if (length > longestRemainder) return bad("length");
  const isLocal = kind === 0x20;
  const needed = addressOctets.get(family);
  // Of LOCAL nothing counts but that its octets are to be left out.
  if (!isLocal && (needed === undefined || length < needed)) return bad(needed === undefined ? "family" : "length");
  const end = fixedProxyOctets + length;
  if (octets.length < end) return more(end - octets.length);
  const rest = octets.subarray(end);
  const size = isLocal || family !== 0x11 && family !== 0x21 ? 0 : family === 0x11 ? 4 : 16;
  if (size === 0) return { kind: "header", header: { kind: "own" }, rest };
  const ip = (at: number) => formatIp(ipFromOctets(octets.subarray(at, at + size))!);
  const port = (at: number) => octets[at]! * 256 + octets[at + 1]!;
  const ports = fixedProxyOctets + 2 * size;
  const source = { ip: ip(fixedProxyOctets), port: port(ports) };
  const destination = { ip: ip(fixedProxyOctets + size), port: port(ports + 2) };
  return { kind: "header", header: { kind: "proxied", source, destination }, rest };
}

/** By family and transport: unknown, TCP over IPv4 and IPv6, a Unix stream. Datagrams carry no SMTP. */
const addressOctets: ReadonlyMap<number, number> = new Map([[0x00, 0], [0x11, 12], [0x21, 36], [0x31, 216]]);

function parseLine(octets: Uint8Array): ProxyStep {
  const text = fromOctets(octets.subarray(0, longestLine));
  const start = text.slice(0, firstWord.length);
  if (!firstWord.startsWith(start)) return bad("no header");
  const end = text.search(/[\r\n]/);
  if (end < 0) return octets.length >= longestLine ? bad("line without end") : more(leastOfLine(text));
  if (text[end] !== "\r") return bad("line end");
  if (text.length === end + 1) return octets.length >= longestLine ? bad("line without end") : more(1);
  if (text[end + 1] !== "\n") return bad("line end");
  const header = readWords(text.slice(0, end));
  return header === undefined ? bad("words") : { kind: "header", header, rest: octets.subarray(end + 2) };
}

function leastOfLine(text: string): number {
  const shortest = text.startsWith("PROXY T") ? shortestTcp : shortestUnknown;
  // CR and LF are missing in any case.
  return Math.max(shortest - text.length, 2);
}

function readWords(line: string): ProxyHeader | undefined {
  const words = line.split(" ");
  const [, family] = words;
  // What follows is to be ignored, whatever it is.
  if (family === "UNKNOWN") return { kind: "own" };
  const isAddress = family === "TCP4" ? isIpv4 : family === "TCP6" ? isIpv6 : undefined;
  if (isAddress === undefined || words.length !== 6) return undefined;
  const [sourceIp, destinationIp, ...portWords] = words.slice(2) as [string, string, string, string];
  if (!isAddress(sourceIp) || !isAddress(destinationIp)) return undefined;
  const [sourcePort, destinationPort] = portWords.map(parsePort);
  if (sourcePort === undefined || destinationPort === undefined) return undefined;
  return {
    kind: "proxied",
    source: { ip: sourceIp, port: sourcePort },
    destination: { ip: destinationIp, port: destinationPort },
  };
}

function isIpv4(text: string): boolean {
  return parseIpv4(text) !== undefined;
}

function isIpv6(text: string): boolean {
  return parseIpv6(text)?.zone === "";
}

function parsePort(text: string): number | undefined {
  const port = /^(?:0|[1-9][0-9]{0,4})$/.test(text) ? Number(text) : 65_536;
  return port <= 65_535 ? port : undefined;
}
