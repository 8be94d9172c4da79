/**
 * What tlsrpt is told of a host (RFC 8460): which policy there was, and what became of it.
 * @module
 */
import type { TlsFlaw } from "../lib/tls/client_policy.ts";
import type { RemoteRequest } from "../lib/wire/delivery_protocol.ts";
import type { TlsrptClient } from "../lib/wire/tlsrpt_client.ts";
import { lookupOf, type NextHost } from "./mx.ts";
import type { Seen } from "./outcome.ts";
import type { HostPolicy, Published, Refusal } from "./tls_policy.ts";

type Counter = Pick<TlsrptClient, "isOn" | "note">;

/** A connection that was begun for mail by MX. */
export interface TlsResult {
  readonly host: NextHost;
  readonly ip: string;
  readonly policy: HostPolicy;
  readonly seen: Seen;
  readonly request: RemoteRequest;
  /** Undefined: the system chose. */
  readonly localAddress: string | undefined;
}

/** Tells of it, where anybody counts and TLS was wanted. Returns at once. */
export function noteTls(result: TlsResult, tlsrpt: Counter): void {
  const { host, ip, policy, seen, request, localAddress } = result;
  if (policy.tls === "none") return;
  tell(tlsrpt, request, {
    published: policy.published,
    mxHost: host.name,
    ip,
    sendingIp: localAddress,
    // What was wrong with the policy itself counts where nothing else went wrong.
    flaw: seen.flaw ?? policy.flaw,
  });
}

/** Tells of a host that no connection was begun to, where what is published about it was the reason. Returns at once. */
export function noteRefusal(
  { flaw, published }: Refusal,
  { host, request }: Pick<TlsResult, "host" | "request">,
  tlsrpt: Counter,
): void {
  if (flaw === undefined) return;
  tell(tlsrpt, request, { published, mxHost: host.name, ip: "", sendingIp: undefined, flaw });
}

interface Told {
  readonly published: Published | undefined;
  readonly mxHost: string;
  readonly ip: string;
  readonly sendingIp: string | undefined;
  readonly flaw: TlsFlaw | undefined;
}

function tell(
  tlsrpt: Counter,
  request: Pick<RemoteRequest, "domain" | "relayHost">,
  { published, mxHost, ip, sendingIp, flaw }: Told,
): void {
  if (!tlsrpt.isOn || request.relayHost !== undefined) return;
  // The owner of an address publishes nothing, and gets no reports.
  const lookup = lookupOf(request.domain);
  if (!lookup.ok || lookup.value.kind !== "name") return;
  tlsrpt.note({
    domain: lookup.value.name,
    policyType: published?.type ?? "no-policy-found",
    policyStrings: published?.strings ?? [],
    mxHost,
    ip,
    ...(sendingIp === undefined ? {} : { sendingIp }),
    ...(flaw === undefined ? {} : { flaw }),
  });
}
