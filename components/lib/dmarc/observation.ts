/**
 * What is kept of one message for the aggregate report of its day (RFC 9990 §3.1, RFC 7489 §7.2): the policy that was found,
 * what was checked, and what came of it. Nothing of the message itself. Whoever checks a message makes one; dmarcrpt counts
 * those that are equal.
 * @module
 */

export const policyActions = ["none", "quarantine", "reject"] as const;
export type PolicyAction = (typeof policyActions)[number];

/** How the policy's record was found (RFC 9990 §3.1.1.5): by the list of public suffixes, or up the tree. */
export const discoveryMethods = ["psl", "treewalk"] as const;
export type DiscoveryMethod = (typeof discoveryMethods)[number];

/** `relaxed` or `strict`. */
export const alignments = ["r", "s"] as const;
export type Alignment = (typeof alignments)[number];

/** The record at `_dmarc.DOMAIN`, tags that are absent left out. */
export interface PublishedPolicy {
  /** Where it was found: A-labels in lower case, without a final dot and without `_dmarc`. */
  readonly domain: string;
  readonly p: PolicyAction;
  readonly sp?: PolicyAction;
  readonly np?: PolicyAction;
  readonly adkim?: Alignment;
  readonly aspf?: Alignment;
  /** As it stands there. */
  readonly fo?: string;
  /** `t=y`. */
  readonly testing?: boolean;
  readonly discovery?: DiscoveryMethod;
}

/** Results of DKIM as Authentication-Results names them (RFC 8601 §2.7.1). */
export const dkimResults = ["none", "pass", "fail", "policy", "neutral", "temperror", "permerror"] as const;
/** And of SPF (RFC 8601 §2.7.2, its "policy" left out). */
export const spfResults = ["none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"] as const;

/** One signature. */
export interface DkimObservation {
  /** Its `d=` and `s=`. */
  readonly domain: string;
  readonly selector: string;
  readonly result: (typeof dkimResults)[number];
}

/** The check of the reverse-path, or of postmaster at the HELO name where that is null (RFC 7208 §2.4): all that DMARC takes. */
export interface SpfObservation {
  /** The domain that was asked. */
  readonly domain: string;
  readonly result: (typeof spfResults)[number];
}

/** Why another thing happened than the policy asks for (RFC 9990 §3.1.1.8). */
export const overrideTypes = [
  "local_policy",
  "mailing_list",
  "other",
  "policy_test_mode",
  "trusted_forwarder",
] as const;

export interface PolicyOverride {
  readonly type: (typeof overrideTypes)[number];
  /** A few words; what differs between messages has no place here, else none of them are equal. */
  readonly comment?: string;
}

/** One message. Only where a policy's record was found that has an `rua`: nobody else gets a report. */
export interface Observation {
  /** The client's address, without brackets; IPv6 in any form. */
  readonly sourceIp: string;
  readonly policy: PublishedPolicy;
  /** What was done to the message. A message that passed, or was let through, has "none". */
  readonly disposition: PolicyAction;
  /** Whether a signature passed whose domain is aligned. */
  readonly dkimAligned: boolean;
  /** Whether SPF passed for a domain that is aligned. */
  readonly spfAligned: boolean;
  readonly reasons?: readonly PolicyOverride[];
  /** The domain of the one address in From. */
  readonly headerFrom: string;
  /** The reverse-path's domain; "" for the null reverse-path. Absent: not to be told. */
  readonly envelopeFrom?: string;
  /** All signatures that were checked, whatever came of it. */
  readonly dkim: readonly DkimObservation[];
  /** Absent where no check was made. */
  readonly spf?: SpfObservation;
}
