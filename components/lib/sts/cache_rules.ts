/**
 * What is done with a policy that is known, a TXT record that was looked up, and a fetch that failed (RFC 8461 §3.3, §5.1):
 * functions of their arguments; seconds since 1970.
 * @module
 */
import type { StsPolicy } from "./policy_text.ts";

/** A policy that was fetched. */
export interface KnownPolicy {
  /** Of the TXT record that it was fetched for. */
  readonly id: string;
  readonly policy: StsPolicy;
  readonly fetchedSeconds: number;
}

/** What the DNS said: an id, that there is no policy, or nothing. */
export type StsLookup =
  | { readonly kind: "id"; readonly id: string }
  | { readonly kind: "none" }
  | { readonly kind: "temporary" };

/** A fetch that failed. */
export interface FailedFetch {
  readonly id: string;
  readonly times: number;
  readonly atSeconds: number;
}

/** RFC 8461 §3.3 asks for 5 minutes at least; a server that stays away is asked less and less, up to an hour. */
const firstRetrySeconds = 300;
const lastRetrySeconds = 3600;
/** §3.3 suggests a day. */
const refreshSeconds = 86_400;

/** How long a policy is valid yet; 0: it is not. */
export function leftSeconds({ policy, fetchedSeconds }: KnownPolicy, nowSeconds: number): number {
  // A clock that was put back makes nothing valid for longer.
  const age = Math.max(0, nowSeconds - fetchedSeconds);
  return Math.max(0, policy.maxAgeSeconds - age);
}

/** The known policy, where it is valid. */
export function validPolicy(known: KnownPolicy | undefined, nowSeconds: number): KnownPolicy | undefined {
  return known !== undefined && leftSeconds(known, nowSeconds) > 0 ? known : undefined;
}

/**
 * Whether the policy has to be fetched before it can be told: the record names one that is not known. What the DNS does
 * not say is no reason, and neither is a record that is gone: a policy is taken back by one in mode `none` (§8.3).
 */
export function isFetchDue(
  known: KnownPolicy | undefined,
  lookup: StsLookup,
  failed: FailedFetch | undefined,
  nowSeconds: number,
): boolean {
  if (lookup.kind !== "id" || validPolicy(known, nowSeconds)?.id === lookup.id) return false;
  return failed?.id !== lookup.id || nowSeconds >= retrySeconds(failed);
}

/** When a fetch that failed may be tried again. */
export function retrySeconds({ times, atSeconds }: FailedFetch): number {
  return atSeconds + Math.min(firstRetrySeconds * 2 ** Math.min(times - 1, 10), lastRetrySeconds);
}

/**
 * From when on a policy that is in use is fetched anew, so that it does not end unnoticed: after a day, or when half of its
 * time is over.
 */
export function refreshAtSeconds({ policy, fetchedSeconds }: KnownPolicy): number {
  return fetchedSeconds + Math.min(refreshSeconds, Math.floor(policy.maxAgeSeconds / 2));
}
