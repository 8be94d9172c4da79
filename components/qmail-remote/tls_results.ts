/**
 * What tlsrpt is told of a connection (RFC 8460): which policy there was, and what became of it.
 * @module
 */
import type { TlsPolicy } from "../lib/tls/client_policy.ts";
import type { StsClient } from "../lib/wire/sts_client.ts";
import type { RemoteRequest } from "../lib/wire/delivery_protocol.ts";
import type { TlsrptClient } from "../lib/wire/tlsrpt_client.ts";
import type { PolicyType } from "../lib/wire/tlsrpt_protocol.ts";
import { lookupOf, type NextHost } from "./mx.ts";
import type { Seen } from "./outcome.ts";

/** A connection that was begun for mail by MX. */
export interface TlsResult {
  readonly host: NextHost;
  readonly ip: string;
  readonly policy: TlsPolicy;
  readonly seen: Seen;
  readonly request: RemoteRequest;
  /** Undefined: the system chose. */
  readonly localAddress: string | undefined;
}

/** Tells of it, where anybody counts and the policy is one of the domain's own. Returns at once. */
export function noteTls(
  result: TlsResult,
  { sts, tlsrpt }: { readonly sts: Pick<StsClient, "policy">; readonly tlsrpt: Pick<TlsrptClient, "isOn" | "note"> },
): void {
  const { host, ip, policy, seen, request, localAddress } = result;
  if (!tlsrpt.isOn || request.relayHost !== undefined || policy.tls === "none") return;
  // The owner of an address publishes nothing, and gets no reports.
  const lookup = lookupOf(request.domain);
  if (!lookup.ok || lookup.value.kind !== "name") return;
  const domain = lookup.value.name;
  // What was wrong with the policy itself counts where nothing else went wrong.
  const flaw = seen.flaw ?? policy.flaw;
  const tell = (policyType: PolicyType, policyStrings: readonly string[]) =>
    tlsrpt.note({
      domain,
      policyType,
      policyStrings,
      mxHost: host.name,
      ip,
      ...(localAddress === undefined ? {} : { sendingIp: localAddress }),
      ...(flaw === undefined ? {} : { flaw }),
    });
  if (policy.source === "sts") {
    // It has just been asked for, and is at hand.
    void sts.policy(domain).then((answer) => tell("sts", answer.kind === "policy" ? answer.strings : []));
  } else if (policy.proof?.kind === "dane") {
    const { records } = policy.proof;
    tell("tlsa", records.map(({ usage, selector, matching, data }) => `${usage} ${selector} ${matching} ${data}`));
  } else tell("no-policy-found", []);
}
