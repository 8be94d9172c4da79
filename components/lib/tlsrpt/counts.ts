/**
 * The counts of one day (RFC 8460 §4): of each domain and policy how many connections were as the policy wants them, and
 * how many were not, by what failed between whom. Bounded: what does not fit is counted without its details, or not.
 * @module
 */
import type { TlsFlaw } from "../tls/client_policy.ts";
import type { Counts, NoteKind } from "../reports/ledger.ts";
import { parseTlsrptNote, type PolicyType, type TlsrptNote } from "../wire/tlsrpt_protocol.ts";

/** Failures of one kind. "" for what is not known, or was too much to remember. */
export interface FailureDetail {
  readonly flaw: TlsFlaw;
  readonly sendingIp: string;
  readonly mxHost: string;
  readonly ip: string;
  readonly count: number;
}

export interface PolicyCounts {
  readonly type: PolicyType;
  readonly strings: readonly string[];
  readonly successes: number;
  readonly failures: readonly FailureDetail[];
}

interface Kept {
  readonly type: PolicyType;
  readonly strings: readonly string[];
  successes: number;
  readonly failures: Map<string, FailureDetail>;
}

export interface CountLimits {
  readonly mostDomains: number;
  readonly mostPolicies: number;
  readonly mostDetails: number;
  /** Of policies' strings, all together. */
  readonly mostStringBytes: number;
}

/** Some 100 MB at the worst, when as many domains fail in as many ways. */
const defaultLimits: CountLimits = {
  mostDomains: 10_000,
  mostPolicies: 8,
  mostDetails: 50,
  mostStringBytes: 16 * 1024 * 1024,
};

/** A note with what does not count left out: notes that count as the same become the same. */
export function canonicalNote(note: TlsrptNote): TlsrptNote {
  const { domain, policyType, policyStrings, flaw } = note;
  return flaw === undefined ? { domain, policyType, policyStrings, mxHost: "", ip: "" } : note;
}

export class DayCounts implements Counts<TlsrptNote> {
  readonly #limits: CountLimits;
  readonly #domains = new Map<string, Map<string, Kept>>();
  #stringBytes = 0;

  constructor(limits: CountLimits = defaultLimits) {
    this.#limits = limits;
  }

  get domains(): readonly string[] {
    return [...this.#domains.keys()];
  }

  /** Counts a note so many times; false: there was no room. */
  add(note: TlsrptNote, count = 1): boolean {
    const policy = this.#policyOf(note);
    if (policy === undefined) return false;
    if (note.flaw === undefined) {
      policy.successes += count;
      return true;
    }
    const { flaw, sendingIp = "", mxHost, ip } = note;
    const exact = { flaw, sendingIp, mxHost, ip };
    const known = policy.failures.has(JSON.stringify(exact));
    // One entry for each flaw stays free for those that are not told apart any more.
    const isRoom = known || policy.failures.size < this.#limits.mostDetails;
    const detail = isRoom ? exact : { flaw, sendingIp: "", mxHost: "", ip: "" };
    const key = JSON.stringify(detail);
    policy.failures.set(key, { ...detail, count: (policy.failures.get(key)?.count ?? 0) + count });
    return true;
  }

  #policyOf({ domain, policyType, policyStrings }: TlsrptNote): Kept | undefined {
    const key = JSON.stringify([policyType, policyStrings]);
    const policies = this.#domains.get(domain) ?? new Map<string, Kept>();
    const known = policies.get(key);
    if (known !== undefined) return known;
    const bytes = key.length + domain.length;
    const { mostDomains, mostPolicies, mostStringBytes } = this.#limits;
    const isFull = policies.size === 0 && this.#domains.size >= mostDomains || policies.size >= mostPolicies ||
      this.#stringBytes + bytes > mostStringBytes;
    if (isFull) return undefined;
    const policy: Kept = { type: policyType, strings: policyStrings, successes: 0, failures: new Map() };
    policies.set(key, policy);
    this.#domains.set(domain, policies);
    this.#stringBytes += bytes;
    return policy;
  }

  /** What was counted for a domain. */
  of(domain: string): readonly PolicyCounts[] {
    return Array.from(this.#domains.get(domain)?.values() ?? [], ({ failures, ...policy }) => {
      return { ...policy, failures: [...failures.values()] };
    });
  }

  /** The domain's report is on its way, or nobody wants one. */
  delete(domain: string): void {
    for (const key of this.#domains.get(domain)?.keys() ?? []) this.#stringBytes -= key.length + domain.length;
    this.#domains.delete(domain);
  }

  /** All of it as notes that {@link add} makes the same of. */
  *notes(): Generator<readonly [TlsrptNote, number], void, undefined> {
    for (const domain of this.#domains.keys()) {
      for (const { type, strings, successes, failures } of this.of(domain)) {
        const policy = { domain, policyType: type, policyStrings: strings };
        if (successes > 0) yield [{ ...policy, mxHost: "", ip: "" }, successes];
        for (const { count, ...detail } of failures) yield [{ ...policy, ...detail }, count];
      }
    }
  }
}

/** As a ledger keeps them. */
export const tlsNotes: NoteKind<TlsrptNote, DayCounts> = {
  empty: () => new DayCounts(),
  canonical: canonicalNote,
  parse: (head) => parseTlsrptNote({ head: { op: "note", ...head }, body: new Uint8Array(0) }),
};
