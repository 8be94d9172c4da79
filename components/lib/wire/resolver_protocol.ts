/**
 * What the resolver is asked (socket `resolver`): `{op:"resolve", id, name, type}`.
 * @module
 */
import * as field from "./fields.ts";
import type { Frame } from "./frame.ts";
import { ProtocolError } from "./server.ts";

export const recordTypes = ["A", "AAAA", "CNAME", "MX", "PTR", "TLSA", "TXT"] as const;
export type RecordType = (typeof recordTypes)[number];

export interface ResolveRequest {
  readonly id: number;
  /** Without the trailing dot. */
  readonly name: string;
  readonly type: RecordType;
}

/** `nodata`: the name is there, but not with this type. `temporary`: nobody could say. */
export const resolveStatuses = ["ok", "nodata", "nxdomain", "temporary"] as const;
export type ResolveStatus = (typeof resolveStatuses)[number];

/**
 * One record: an address, a host name (MX with its preference), a text, or for TLSA `usage selector matching hex` (the
 * numbers decimal, hex in lower case and not empty); names lower-cased without trailing dot.
 */
export interface DnsRecord {
  readonly value: string;
  readonly preference?: number;
}

export interface ResolveReply {
  readonly status: ResolveStatus;
  /** The AD bit of a validating server that may be believed, for all of the answer, aliases and absence included. */
  readonly authenticated: boolean;
  readonly records: readonly DnsRecord[];
  /** The name at the end of the aliases; only where the name that was asked for is one. */
  readonly canonical?: string;
}

/** Throws ProtocolError. */
export function parseResolveRequest(frame: Frame): ResolveRequest {
  if (frame.head["op"] !== "resolve") throw new ProtocolError(`expected the request "resolve"`);
  return {
    id: field.wholeNumber(frame.head, "id"),
    name: field.text(frame.head, "name", 300),
    type: field.oneOf(frame.head, "type", recordTypes),
  };
}

function parseRecord(value: unknown): DnsRecord {
  const head = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const text = field.text(head, "value", 65_535);
  return head["preference"] === undefined
    ? { value: text }
    : { value: text, preference: field.wholeNumber(head, "preference") };
}

/** Throws ProtocolError. */
export function parseResolveReply(frame: Frame): ResolveReply {
  const records = frame.head["records"];
  if (!Array.isArray(records)) throw new ProtocolError("expected a list of records");
  return {
    status: field.oneOf(frame.head, "status", resolveStatuses),
    authenticated: field.flag(frame.head, "authenticated"),
    records: records.map(parseRecord),
    ...(frame.head["canonical"] === undefined ? {} : { canonical: field.text(frame.head, "canonical", 300) }),
  };
}
