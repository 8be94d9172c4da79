/**
 * Whom a domain's aggregate report goes to: what its record says today, and for addresses elsewhere whether their domain
 * agrees (RFC 9990 §4), else anybody could have reports sent to anybody.
 * @module
 */
import { getDomain } from "tldts";
import { isQueryName } from "../dns/name.ts";
import type { ResolveReply } from "../wire/resolver_protocol.ts";
import { findDmarcRecord, type ReportUri, reportUrisOf } from "./record.ts";

const options = { extractHostname: false, validateHostname: false, allowPrivateDomains: true };

/** By the list of public suffixes, as RFC 7489 §3.2 has it: who shares a suffix that others share is nobody's owner. */
export function organizationalDomain(domain: string): string {
  return getDomain(domain, options) ?? domain;
}

export function hostOf({ address }: ReportUri): string {
  return address.slice(address.lastIndexOf("@") + 1).toLowerCase();
}

/** The name whose TXT record has to say that reports about `domain` are wanted at `host`; undefined: none has to. */
export function permissionName(domain: string, host: string): string | undefined {
  if (organizationalDomain(domain) === organizationalDomain(host)) return undefined;
  return `${domain}._report._dmarc.${host}`;
}

/** Undefined: the DNS gave no answer, ask again later. Asks for TXT records by `lookUp`; rejects only where that does. */
export async function findDestinations(
  domain: string,
  lookUp: (name: string) => Promise<ResolveReply>,
): Promise<readonly ReportUri[] | undefined> {
  const { status, records } = await lookUp(`_dmarc.${domain}`);
  if (status === "temporary") return undefined;
  const record = findDmarcRecord(records.map(({ value }) => value));
  const found = new Map<string, ReportUri>();
  for (const uri of record === undefined ? [] : reportUrisOf(record)) {
    const allowed = await agreed(uri, domain, lookUp);
    if (allowed === undefined) return undefined;
    for (const one of allowed) found.set(one.address, one);
  }
  return [...found.values()];
}

/** What is left of an address when its domain has been asked: it, others there instead of it, or none. */
async function agreed(
  uri: ReportUri,
  domain: string,
  lookUp: (name: string) => Promise<ResolveReply>,
): Promise<readonly ReportUri[] | undefined> {
  const host = hostOf(uri);
  const name = permissionName(domain, host);
  if (name === undefined) return [uri];
  if (!isQueryName(name)) return [];
  const { status, records } = await lookUp(name);
  if (status === "temporary") return undefined;
  const permissions = records.flatMap(({ value }) => findDmarcRecord([value]) ?? []);
  if (permissions.length === 0) return [];
  const instead = permissions.find(({ tags }) => tags.has("rua"));
  // Elsewhere again would be one more who has not agreed.
  return instead === undefined ? [uri] : reportUrisOf(instead).filter((other) => hostOf(other) === host);
}
