/**
 * The counts of one day for aggregate reports (RFC 9990 §3.1): of each policy domain, how many messages were alike in source,
 * names and results. Bounded: what does not fit is counted without the names that a sender could make up without end, or not at all.
 * @module
 */
import { clientAddress } from "../policy/networks.ts";
import type { Counts, NoteKind } from "../reports/ledger.ts";
import { parseObservation } from "../wire/dmarcrpt_protocol.ts";
import type { Observation, PublishedPolicy } from "./observation.ts";

/** Messages that were alike. */
export interface CountedObservation {
  readonly observation: Observation;
  readonly count: number;
}

export interface DomainCounts {
  /** As it was seen last: one report is about one policy (RFC 9990 §3.1). */
  readonly policy: PublishedPolicy;
  readonly rows: readonly CountedObservation[];
}

interface Kept {
  policy: PublishedPolicy;
  policyBytes: number;
  readonly rows: Map<string, { readonly observation: Observation; count: number }>;
}

export interface CountLimits {
  readonly mostDomains: number;
  /** Rows of one domain with all results; as many again without. */
  readonly mostRows: number;
  /** Of all rows and policies, as JSON. */
  readonly mostBytes: number;
}

/** Some 150 MB at the worst. */
const defaultLimits: CountLimits = { mostDomains: 10_000, mostRows: 2000, mostBytes: 32 * 1024 * 1024 };

/** What makes messages alike: all but the policy. */
function keyOf({ policy: _, ...rest }: Observation): string {
  return JSON.stringify(rest);
}

/** The same in one spelling, its fields in one order. */
export function canonicalObservation(observation: Observation): Observation {
  const { sourceIp, policy, disposition, dkimAligned, spfAligned, reasons = [], headerFrom, envelopeFrom, dkim, spf } =
    observation;
  return {
    sourceIp: clientAddress(sourceIp),
    policy,
    disposition,
    dkimAligned,
    spfAligned,
    ...(reasons.length === 0
      ? {}
      : { reasons: reasons.map(({ type, comment }) => ({ type, ...(comment && { comment }) })) }),
    headerFrom: headerFrom.toLowerCase(),
    ...(envelopeFrom === undefined ? {} : { envelopeFrom: envelopeFrom.toLowerCase() }),
    dkim: dkim.map(({ domain, selector, result }) => ({
      domain: domain.toLowerCase(),
      selector: selector.toLowerCase(),
      result,
    })),
    ...(spf === undefined ? {} : { spf: { domain: spf.domain.toLowerCase(), result: spf.result } }),
  };
}

/** What is left is known to this host, or bounded by the policies and addresses there are. */
function withoutResults({ spf: _, reasons: __, envelopeFrom: ___, ...rest }: Observation): Observation {
  return { ...rest, headerFrom: rest.policy.domain, dkim: [] };
}

export class AggregateCounts implements Counts<Observation> {
  readonly #limits: CountLimits;
  readonly #domains = new Map<string, Kept>();
  #bytes = 0;

  constructor(limits: CountLimits = defaultLimits) {
    this.#limits = limits;
  }

  get domains(): readonly string[] {
    return [...this.#domains.keys()];
  }

  /** Counts messages like this canonical one; false: there was no room. */
  add(observation: Observation, count = 1): boolean {
    const kept = this.#domainOf(observation.policy);
    if (kept === undefined) return false;
    const { mostRows } = this.#limits;
    return this.#count(kept, observation, count, mostRows) ||
      this.#count(kept, withoutResults(observation), count, 2 * mostRows);
  }

  #count({ rows }: Kept, observation: Observation, count: number, mostRows: number): boolean {
    const key = keyOf(observation);
    const row = rows.get(key);
    if (row !== undefined) {
      row.count += count;
      return true;
    }
    if (rows.size >= mostRows || this.#bytes + key.length > this.#limits.mostBytes) return false;
    rows.set(key, { observation, count });
    this.#bytes += key.length;
    return true;
  }

  #domainOf(policy: PublishedPolicy): Kept | undefined {
    const policyBytes = JSON.stringify(policy).length;
    const known = this.#domains.get(policy.domain);
    if (known !== undefined) {
      this.#bytes += policyBytes - known.policyBytes;
      known.policy = policy;
      known.policyBytes = policyBytes;
      return known;
    }
    const { mostDomains, mostBytes } = this.#limits;
    if (this.#domains.size >= mostDomains || this.#bytes + policyBytes > mostBytes) return undefined;
    const kept: Kept = { policy, policyBytes, rows: new Map() };
    this.#domains.set(policy.domain, kept);
    this.#bytes += policyBytes;
    return kept;
  }

  /** What was counted for a domain; undefined: nothing. */
  of(domain: string): DomainCounts | undefined {
    const kept = this.#domains.get(domain);
    if (kept === undefined || kept.rows.size === 0) return undefined;
    return { policy: kept.policy, rows: Array.from(kept.rows.values(), (row) => ({ ...row })) };
  }

  /** The domain's report is on its way, or nobody wants one. */
  delete(domain: string): void {
    const kept = this.#domains.get(domain);
    if (kept === undefined) return;
    this.#bytes -= kept.policyBytes;
    for (const key of kept.rows.keys()) this.#bytes -= key.length;
    this.#domains.delete(domain);
  }

  /** All of it as observations that {@link add} makes the same of. */
  *notes(): Generator<readonly [Observation, number], void, undefined> {
    for (const { policy, rows } of this.#domains.values()) {
      for (const { observation, count } of rows.values()) yield [{ ...observation, policy }, count];
    }
  }
}

/** As a ledger keeps them. */
export const dmarcNotes: NoteKind<Observation, AggregateCounts> = {
  empty: () => new AggregateCounts(),
  canonical: canonicalObservation,
  parse: (head) => canonicalObservation(parseObservation({ head: { op: "note", ...head }, body: new Uint8Array(0) })),
};
