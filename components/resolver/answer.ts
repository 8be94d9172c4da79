/**
 * What a server's response says about a question, aliases followed as far as it carries them (RFC 1034 §3.6.2; for
 * what a response without records means, RFC 2308 §2).
 * @module
 */
import type { DnsRecord, RecordType } from "../lib/wire/resolver_protocol.ts";
import { rcodes, type ResourceRecord, type Response } from "./packet.ts";

export type Finding =
  | {
    readonly kind: "final";
    readonly status: "ok" | "nodata" | "nxdomain";
    readonly records: readonly DnsRecord[];
    /** The question's name and the aliases up to the one this is about. */
    readonly path: readonly string[];
    readonly ttlSeconds: number;
  }
  /** The last name of `path` has to be asked for. */
  | { readonly kind: "alias"; readonly path: readonly string[]; readonly ttlSeconds: number }
  /** A loop, too many aliases, or nothing but records nobody should use: another server would say the same. */
  | { readonly kind: "unusable" }
  /** The server knows nothing of this and asks nobody: another one may. */
  | { readonly kind: "lame" };

const mostAliases = 8;
export const mostRecords = 100;
/** How long a "no" without a SOA, and an answer that is none, are remembered. */
export const briefSeconds = 5;

/** `path`: the question's name and the aliases met since; its last name is the one that this response is about. */
export function findAnswer(response: Response, type: RecordType, path: readonly string[]): Finding {
  let ttlSeconds = Infinity;
  let names = path;
  for (;;) {
    const own = response.answers.filter((record) => record.owner === names.at(-1));
    const wanted = own.filter((record) => record.type === type);
    if (wanted.length > 0) return usable(wanted, names, ttlSeconds);
    const alias = own.find((record) => record.type === "CNAME");
    if (alias === undefined) break;
    const next = alias.record?.value;
    if (next === undefined || names.includes(next) || names.length > mostAliases) return { kind: "unusable" };
    names = [...names, next];
    ttlSeconds = Math.min(ttlSeconds, alias.ttlSeconds);
  }
  const negative = (status: "nodata" | "nxdomain"): Finding => ({
    kind: "final",
    status,
    records: [],
    path: names,
    ttlSeconds: Math.min(ttlSeconds, response.negativeSeconds ?? briefSeconds),
  });
  // With aliases, the code is about the last of them (RFC 6604 §3).
  if (response.rcode === rcodes.nxDomain) return negative("nxdomain");
  if (response.negativeSeconds !== undefined) return negative("nodata");
  if (names !== path) return { kind: "alias", path: names, ttlSeconds };
  return response.authoritative || response.recursionAvailable ? negative("nodata") : { kind: "lame" };
}

function usable(wanted: readonly ResourceRecord[], path: readonly string[], ttlSeconds: number): Finding {
  const records = wanted.flatMap((record) => record.record ?? []).slice(0, mostRecords);
  // Not "nodata": that would send mail for a domain with a broken MX to its web server.
  if (records.length === 0) return { kind: "unusable" };
  return {
    kind: "final",
    status: "ok",
    records,
    path,
    ttlSeconds: Math.min(ttlSeconds, ...wanted.map((record) => record.ttlSeconds)),
  };
}
