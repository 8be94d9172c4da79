/**
 * The policies that are known, and the fetches under way: who asks is answered from memory where that will do, else waits
 * for a lookup and a fetch, but never for long; both go on behind an answer, for the next one who asks.
 * @module
 */
import {
  type FailedFetch,
  isFetchDue,
  type KnownPolicy,
  leftSeconds,
  refreshAtSeconds,
  type StsLookup,
  validPolicy,
} from "../lib/sts/cache_rules.ts";
import type { TlsFlaw } from "../lib/tls/client_policy.ts";
import type { StsReply } from "../lib/wire/sts_protocol.ts";
import type { FetchResult } from "./fetch.ts";

export interface Surroundings {
  /** What the DNS says. Never rejects. */
  readonly lookUp: (domain: string) => Promise<StsLookup>;
  /** Never rejects; undefined: too many are under way. */
  readonly fetch: (domain: string) => Promise<FetchResult | undefined>;
  /** Settles with `work`, or when whoever asked has waited for long enough. */
  readonly patience: (work: Promise<void>) => Promise<void>;
  readonly nowSeconds: () => number;
  /** Told of each fetch that came to an end. */
  readonly onFetched: (domain: string, result: FetchResult) => void;
  /** Told of each policy that is known from now on. */
  readonly onKnown?: (domain: string, known: KnownPolicy) => void;
}

export interface Limits {
  readonly mostDomains: number;
  /** Octets of all patterns together: some domains may have a hundred of them. */
  readonly mostPatternBytes: number;
}

/** 16 MiB of patterns at the worst, and a few hundred octets for each domain. */
export const defaultLimits: Limits = { mostDomains: 10_000, mostPatternBytes: 8 * 1024 * 1024 };

/** What is remembered of a domain. */
interface Entry {
  readonly known?: KnownPolicy;
  readonly failed?: FailedFetch & { readonly flaw: TlsFlaw };
  readonly askedSeconds: number;
}

/** Domains whose policy is in use: asked for within this time. Others are fetched again when somebody asks. */
const inUseSeconds = 7 * 86_400;

export class Policies {
  readonly #around: Surroundings;
  readonly #limits: Limits;
  /** In the order in which they were last asked for; only domains that have, or should have, a policy. */
  readonly #entries = new Map<string, Entry>();
  readonly #fetches = new Map<string, Promise<void>>();
  #patternBytes = 0;

  constructor(around: Surroundings, limits: Limits = defaultLimits) {
    this.#around = around;
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Takes a policy that an earlier process fetched, unless it is over, or there is one that is as new. */
  learn(domain: string, { id, policy, fetchedSeconds: toldSeconds }: KnownPolicy): void {
    const nowSeconds = this.#around.nowSeconds();
    // One from the future is from before the clock was put back: it would be renewed by nobody.
    const fetchedSeconds = Math.min(toldSeconds, nowSeconds);
    const known = { id, policy, fetchedSeconds };
    const entry = this.#entries.get(domain);
    if (validPolicy(known, nowSeconds) === undefined) return;
    if (entry?.known !== undefined && entry.known.fetchedSeconds >= fetchedSeconds) return;
    this.#keep(domain, { ...entry, known, askedSeconds: entry?.askedSeconds ?? fetchedSeconds });
  }

  /** The policies that are valid. */
  *known(): Generator<readonly [string, KnownPolicy], void, undefined> {
    for (const [domain, { known }] of [...this.#entries]) {
      if (known !== undefined && validPolicy(known, this.#around.nowSeconds()) !== undefined) yield [domain, known];
    }
  }

  /** The policy for mail to `domain` (lower case). Never rejects. */
  async ask(domain: string): Promise<StsReply> {
    await this.#around.patience(this.#bringUpToDate(domain));
    return this.#answer(domain);
  }

  async #bringUpToDate(domain: string): Promise<void> {
    const lookup = await this.#around.lookUp(domain);
    const entry = this.#touch(domain);
    if (lookup.kind !== "id") {
      // Without a record nothing is owed any more by those who never had a policy.
      if (lookup.kind === "none" && validPolicy(entry?.known, this.#around.nowSeconds()) === undefined) {
        this.#drop(domain);
      }
      return;
    }
    if (isFetchDue(entry?.known, lookup, entry?.failed, this.#around.nowSeconds())) {
      await this.#fetch(domain, lookup.id);
    }
  }

  /** One fetch at a time for each domain: who comes meanwhile waits for the same. */
  #fetch(domain: string, id: string): Promise<void> {
    let fetch = this.#fetches.get(domain);
    if (fetch === undefined) {
      fetch = this.#fetchNow(domain, id).finally(() => this.#fetches.delete(domain));
      this.#fetches.set(domain, fetch);
    }
    return fetch;
  }

  async #fetchNow(domain: string, id: string): Promise<void> {
    const result = await this.#around.fetch(domain);
    if (result === undefined) return;
    this.#around.onFetched(domain, result);
    const nowSeconds = this.#around.nowSeconds();
    const kept: Entry = this.#entries.get(domain) ?? { askedSeconds: nowSeconds };
    const { failed: before, ...entry } = kept;
    if (result.kind === "policy") {
      const known = { id, policy: result.policy, fetchedSeconds: nowSeconds };
      this.#keep(domain, { known, askedSeconds: entry.askedSeconds });
      this.#around.onKnown?.(domain, known);
    } else {
      const times = before?.id === id ? before.times + 1 : 1;
      this.#keep(domain, { ...entry, failed: { id, times, atSeconds: nowSeconds, flaw: result.flaw } });
    }
  }

  /** Somebody asked: what was not asked for the longest goes first when there are too many. */
  #touch(domain: string): Entry | undefined {
    const entry = this.#entries.get(domain);
    if (entry === undefined) return undefined;
    const touched = { ...entry, askedSeconds: this.#around.nowSeconds() };
    this.#entries.delete(domain);
    this.#entries.set(domain, touched);
    return touched;
  }

  #answer(domain: string): StsReply {
    const entry = this.#entries.get(domain);
    const nowSeconds = this.#around.nowSeconds();
    const known = validPolicy(entry?.known, nowSeconds);
    if (known === undefined) {
      return entry?.failed === undefined ? { kind: "none" } : { kind: "none", flaw: entry.failed.flaw };
    }
    const { mode, mx, maxAgeSeconds } = known.policy;
    if (mode === "none") return { kind: "none", isWithdrawn: true };
    return { kind: "policy", mode, mx, maxAgeSeconds, leftSeconds: leftSeconds(known, nowSeconds) };
  }

  /**
   * Fetches anew, one after the other, what is in use and was fetched a day ago; drops what is over. To be called now and
   * then.
   */
  async refresh(): Promise<void> {
    for (const [domain, { known, failed, askedSeconds }] of [...this.#entries]) {
      const nowSeconds = this.#around.nowSeconds();
      if (known !== undefined && validPolicy(known, nowSeconds) === undefined && failed === undefined) {
        this.#drop(domain);
        continue;
      }
      const isInUse = nowSeconds - askedSeconds < inUseSeconds;
      if (!isInUse || known === undefined || nowSeconds < refreshAtSeconds(known) || this.#isTooSoon(failed)) continue;
      const lookup = await this.#around.lookUp(domain);
      if (lookup.kind === "id") await this.#fetch(domain, lookup.id);
    }
  }

  #isTooSoon(failed: FailedFetch | undefined): boolean {
    return failed !== undefined &&
      !isFetchDue(undefined, { kind: "id", id: failed.id }, failed, this.#around.nowSeconds());
  }

  /** Remembers it; what is there already keeps its place in the order. */
  #keep(domain: string, entry: Entry): void {
    const before = this.#entries.get(domain);
    this.#patternBytes += patternBytes(entry) - (before === undefined ? 0 : patternBytes(before));
    this.#entries.set(domain, entry);
    while (this.#entries.size > this.#limits.mostDomains || this.#patternBytes > this.#limits.mostPatternBytes) {
      this.#drop(this.#entries.keys().next().value!);
    }
  }

  #drop(domain: string): void {
    const entry = this.#entries.get(domain);
    if (entry === undefined) return;
    this.#entries.delete(domain);
    this.#patternBytes -= patternBytes(entry);
  }
}

function patternBytes({ known }: Entry): number {
  return (known?.policy.mx ?? []).reduce((sum, pattern) => sum + pattern.length, 0);
}
