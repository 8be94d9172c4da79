/**
 * Queries and answers on the wire (RFC 1035 §4, EDNS0: RFC 6891). The octets of an answer are hostile: whatever they
 * are, {@link parseResponse} answers a value, and looks at no more than {@link mostExamined} records. Names and rdata
 * are read by dns-packet, one record at a time, each held to the length it states.
 * @module
 */
// @ts-types="../lib/dns/dns_packet.d.ts"
import dnsPacket from "dns-packet";
import { fromOctets } from "../lib/octets.ts";
import { isHostName, isQueryName } from "../lib/dns/name.ts";
import type { DnsRecord, RecordType } from "../lib/wire/resolver_protocol.ts";

export interface Question {
  /** Lower case, no final dot. */
  readonly name: string;
  readonly type: RecordType;
}

/** A record of the answer section. */
export interface ResourceRecord {
  readonly owner: string;
  readonly type: RecordType;
  readonly ttlSeconds: number;
  /** `undefined`: it is there, but nobody should use it (a host name with odd octets, rdata of a wrong length). */
  readonly record: DnsRecord | undefined;
}

export interface Response {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly recursionAvailable: boolean;
  readonly authenticated: boolean;
  readonly answers: readonly ResourceRecord[];
  /** How long "there is no such record" holds (RFC 2308 §5); `undefined` without a SOA. */
  readonly negativeSeconds: number | undefined;
}

export const rcodes = { noError: 0, formErr: 1, servFail: 2, nxDomain: 3, notImp: 4, refused: 5 } as const;

/** `other`: not the answer to this question, so that the right one may still come. */
export type Parsed =
  | { readonly kind: "response"; readonly response: Response }
  | { readonly kind: "truncated" }
  | { readonly kind: "malformed" }
  | { readonly kind: "other" };

/** Largest answer over UDP that is asked for: one that no path has to cut into fragments (DNS flag day 2020). */
const udpPayloadBytes = 1232;
/** An honest answer has fewer; a name may cost a thousand jumps, so their number bounds the work. */
const mostExamined = 256;
const headerBytes = 12;
/** A whole certificate with many names. */
const longestTlsaBytes = 16_384;
const classIn = 1;
const typeSoa = 6;
const typeNumbers = new Map<number, RecordType>([
  [1, "A"],
  [5, "CNAME"],
  [12, "PTR"],
  [15, "MX"],
  [16, "TXT"],
  [28, "AAAA"],
  [52, "TLSA"],
]);

/** A query with recursion desired; the AD bit asks for the AD bit (RFC 6840 §5.7). The name must be a query name. */
export function encodeQuery(id: number, question: Question, edns: boolean): Uint8Array {
  return dnsPacket.encode({
    type: "query",
    id,
    flags: dnsPacket.RECURSION_DESIRED | dnsPacket.AUTHENTIC_DATA,
    questions: [question],
    additionals: edns ? [{ type: "OPT", name: ".", udpPayloadSize: udpPayloadBytes, flags: 0, options: [] }] : [],
  });
}

/** Reads the answer to `question`, asked under `id`. */
export function parseResponse(octets: Uint8Array, id: number, question: Question): Parsed {
  if (octets.length < headerBytes) return { kind: "other" };
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const flags = view.getUint16(2);
  const isAnswerToQuery = (flags & 0xf800) === 0x8000;
  if (view.getUint16(0) !== id || !isAnswerToQuery) return { kind: "other" };
  try {
    const rcode = flags & 0xf;
    const questions = view.getUint16(4);
    // Servers that could not read a query send its bare header back (RFC 6891 §7).
    if (questions === 0 && rcode !== rcodes.noError && rcode !== rcodes.nxDomain) {
      return { kind: "response", response: { ...bitsOf(flags), answers: [], negativeSeconds: undefined } };
    }
    const end = questions === 1 ? endOfQuestion(octets, view, question) : undefined;
    if (end === undefined) return { kind: "other" };
    if ((flags & dnsPacket.TRUNCATED_RESPONSE) !== 0) return { kind: "truncated" };
    return { kind: "response", response: { ...bitsOf(flags), ...readSections(octets, view, end) } };
  } catch {
    // dns-packet and DataView throw on octets that are no packet; nothing else is called above.
    return { kind: "malformed" };
  }
}

function bitsOf(flags: number): Pick<Response, "rcode" | "authoritative" | "recursionAvailable" | "authenticated"> {
  return {
    rcode: flags & 0xf,
    authoritative: (flags & dnsPacket.AUTHORITATIVE_ANSWER) !== 0,
    recursionAvailable: (flags & dnsPacket.RECURSION_AVAILABLE) !== 0,
    authenticated: (flags & dnsPacket.AUTHENTIC_DATA) !== 0,
  };
}

function endOfQuestion(octets: Uint8Array, view: DataView, question: Question): number | undefined {
  const { name, end } = readName(octets, headerBytes);
  const type = typeNumbers.get(view.getUint16(end));
  const isOurs = name === question.name && type === question.type && view.getUint16(end + 2) === classIn;
  return isOurs ? end + 4 : undefined;
}

function readSections(octets: Uint8Array, view: DataView, from: number): Pick<Response, "answers" | "negativeSeconds"> {
  const answers: ResourceRecord[] = [];
  const inAnswer = view.getUint16(6);
  const examined = Math.min(inAnswer + view.getUint16(8), mostExamined);
  let negativeSeconds: number | undefined;
  let at = from;
  for (let number = 0; number < examined; number++) {
    const { name, end } = readName(octets, at);
    const typeNumber = view.getUint16(end);
    const type = typeNumbers.get(typeNumber);
    const isIn = view.getUint16(end + 2) === classIn;
    const ttlSeconds = ttlOf(view.getUint32(end + 4));
    const lengthAt = end + 8;
    at = lengthAt + 2 + view.getUint16(lengthAt);
    if (at > octets.length) throw new RangeError("a record longer than its packet");
    if (!isIn) continue;
    if (number >= inAnswer) {
      if (typeNumber === typeSoa) negativeSeconds ??= Math.min(ttlSeconds, minimumOf(octets, lengthAt, at));
    } else if (type !== undefined && name !== undefined) {
      answers.push({ owner: name, type, ttlSeconds, record: readRecord(octets, type, lengthAt, at) });
    }
  }
  return { answers, negativeSeconds };
}

/** The sign bit was never meant to be set (RFC 2181 §8). */
function ttlOf(value: number): number {
  return value > 0x7fff_ffff ? 0 : value;
}

/** `name` is undefined where it is none that could be asked for. ASCII is checked before the case goes: U+212A has a "k". */
function readName(octets: Uint8Array, at: number): { name: string | undefined; end: number } {
  const text = dnsPacket.name.decode(octets, at);
  const end = at + dnsPacket.name.decode.bytes;
  return { name: isQueryName(text) ? text.toLowerCase() : undefined, end };
}

/** Decodes rdata that must fill its length exactly. */
function decodeRdata(octets: Uint8Array, type: string, lengthAt: number, end: number): unknown {
  const codec = dnsPacket.record(type);
  try {
    const data = codec.decode(octets, lengthAt);
    return lengthAt + codec.decode.bytes === end ? data : undefined;
  } catch {
    return undefined;
  }
}

function minimumOf(octets: Uint8Array, lengthAt: number, end: number): number {
  const soa = decodeRdata(octets, "SOA", lengthAt, end) as { minimum: number } | undefined;
  return ttlOf(soa?.minimum ?? 0);
}

function readRecord(
  octets: Uint8Array,
  type: RecordType,
  lengthAt: number,
  end: number,
): DnsRecord | undefined {
  const data = decodeRdata(octets, type, lengthAt, end);
  if (data === undefined) return undefined;
  switch (type) {
    case "A":
    case "AAAA":
      return { value: data as string };
    case "TXT":
      return { value: (data as Uint8Array[]).map(fromOctets).join("") };
    case "CNAME":
      return isQueryName(data as string) ? { value: (data as string).toLowerCase() } : undefined;
    case "PTR":
      return isHostName(data as string) ? { value: (data as string).toLowerCase() } : undefined;
    case "MX":
      return mxRecord(data as { preference: number; exchange: string });
    case "TLSA":
      return tlsaRecord(data as TlsaData);
  }
}

/** The root as exchange is the null MX (RFC 7505): an empty value. */
function mxRecord({ preference, exchange }: { preference: number; exchange: string }): DnsRecord | undefined {
  if (exchange === ".") return { value: "", preference };
  return isHostName(exchange) ? { value: exchange.toLowerCase(), preference } : undefined;
}

interface TlsaData {
  readonly usage: number;
  readonly selector: number;
  readonly matchingType: number;
  readonly certificate: Uint8Array;
}

/** RFC 6698 §2.1. Without data, or with more than a certificate has, it cannot match anything. */
function tlsaRecord({ usage, selector, matchingType, certificate }: TlsaData): DnsRecord | undefined {
  if (certificate.length === 0 || certificate.length > longestTlsaBytes) return undefined;
  return { value: `${usage} ${selector} ${matchingType} ${certificate.toHex()}` };
}
