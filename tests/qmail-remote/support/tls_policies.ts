/**
 * What policyFor() is given and asks, for tests.
 * @module
 */
import {
  type HostPolicy,
  type PolicyExchanger,
  policyFor,
  type PolicyRequest,
  type Refusal,
} from "../../../components/qmail-remote/tls_policy.ts";
import type { Result } from "../../../components/lib/result.ts";
import type { StsAnswer } from "../../../components/lib/wire/sts_client.ts";
import { defaultTlsWish, type TlsPolicy, type TlsWish } from "../../../components/lib/tls/client_policy.ts";
import type { ResolveReply } from "../../../components/lib/wire/resolver_protocol.ts";

/** One case; what is left out is a plain delivery by MX of a domain that publishes nothing. */
export interface Case {
  readonly exchanger?: Partial<PolicyExchanger>;
  readonly wish?: Partial<TlsWish>;
  readonly domain?: string;
  readonly relayHost?: string;
  readonly protocol?: "smtp" | "lmtp" | "qmtp";
  readonly requireTls?: boolean;
  /** The answer about TLSA records; a signed nxdomain. */
  readonly tlsa?: ResolveReply;
  readonly sts?: StsAnswer | Pick<StsPolicyAnswer, "kind" | "mode" | "mx">;
}

type StsPolicyAnswer = Extract<StsAnswer, { readonly kind: "policy" }>;
/** The lines of any policy here. */
export const stsStrings = ["version: STSv1"];

export interface Came {
  /** The policy, without what it was made of, or the report without its last line end. */
  readonly to: TlsPolicy | string;
  /** All of it. */
  readonly policed: Result<HostPolicy, Refusal>;
  /** Questions, `NAME TYPE` and `sts DOMAIN`. */
  readonly asked: readonly string[];
}

const nxdomain: ResolveReply = { status: "nxdomain", authenticated: true, records: [] };

/** A wish that somebody wrote down. */
export function wished(wish: Partial<TlsWish>): TlsWish {
  return { ...defaultTlsWish, isDefault: false, ...wish };
}

export async function decide(given: Case): Promise<Came> {
  const { exchanger, wish, domain = "example.test", relayHost, protocol = "smtp", requireTls, tlsa, sts } = given;
  const request: PolicyRequest = {
    domain,
    relayHost,
    port: 25,
    protocol,
    tls: wish === undefined ? defaultTlsWish : wished(wish),
    ...(requireTls === true ? { options: { requireTls, recipients: new Map() } } : {}),
  };
  const asked: string[] = [];
  const ask = {
    resolve: (name: string, type: string) => {
      asked.push(`${name} ${type}`);
      return Promise.resolve(tlsa ?? nxdomain);
    },
    sts: {
      policy: (name: string) => {
        asked.push(`sts ${name}`);
        if (sts?.kind === "policy") return Promise.resolve({ strings: stsStrings, ...sts });
        return Promise.resolve(sts ?? { kind: "none" as const });
      },
    },
  };
  const server = { host: "mx.example.test", authenticated: false, byMx: relayHost === undefined, ...exchanger };
  const policed = await policyFor(server, request, ask);
  if (!policed.ok) {
    const { verdict, text } = policed.error.report;
    return { to: `${verdict} ${text.trimEnd()}`, policed, asked };
  }
  const { published: _, ...to } = policed.value;
  return { to, policed, asked };
}
