/**
 * Which TLS policy holds for one exchanger, out of what control files wish, what DANE (RFC 7672) and MTA-STS (RFC 8461)
 * publish, and what the message asks for (RFC 8689). The order:
 *
 * 1. `none`, `verify` and `dane` of a control file stand as they are; `may` and `encrypt` are the least there will be.
 * 2. DANE, where the answers about the exchanger are signed and it has TLSA records; then MTA-STS is not asked.
 * 3. MTA-STS, where the exchanger was found by MX.
 * 4. REQUIRETLS: whatever the above came to has to be TLS with a proof, or the exchanger is not for this message.
 * @module
 */
import { type DaneAnswer, type DaneHost, lookUpDane, mayHaveDane } from "../lib/dane/lookup.ts";
import { assertNever, err, ok, type Result } from "../lib/result.ts";
import { isListedMx } from "../lib/sts/mx_match.ts";
import type { PolicySource, Proof, TlsPolicy, TlsWish } from "../lib/tls/client_policy.ts";
import type { DeliveryReport, RemoteRequest } from "../lib/wire/delivery_protocol.ts";
import type { Resolve } from "./find_addresses.ts";
import { lookupOf } from "./mx.ts";
import { report } from "./reports.ts";

/** The server that a policy is wanted for. `authenticated`: MX and address answers, of a relay the address answers, had AD. */
export interface PolicyExchanger extends DaneHost {
  /** False: a route's relay. */
  readonly byMx: boolean;
}

/** What an MTA-STS client says of a domain. */
export type StsAnswer =
  | { readonly kind: "none" | "temporary" }
  | { readonly kind: "policy"; readonly mode: "enforce" | "testing"; readonly mx: readonly string[] };

/** Whom to ask. Neither rejects. */
export interface PolicyOracles {
  readonly resolve: Resolve;
  readonly sts: { policy(domain: string): Promise<StsAnswer> };
}

/** What of a request decides. */
export type PolicyRequest = Pick<RemoteRequest, "domain" | "relayHost" | "port" | "protocol" | "tls" | "options">;

type Policed = Result<TlsPolicy, DeliveryReport>;

/**
 * The policy for `exchanger`; or the report of an exchanger that this message must not be given to, now (Z) or ever (D).
 * Where nothing is configured and the answers were not signed, MTA-STS is the only one asked.
 */
export async function policyFor(
  exchanger: PolicyExchanger,
  request: PolicyRequest,
  ask: PolicyOracles,
): Promise<Policed> {
  const { level } = request.tls;
  const found = level === "none"
    ? ok(policy(request, "none", undefined))
    : level === "verify"
    ? ok(policy(request, "must", wishedProof(exchanger, request)))
    : await discovered(exchanger, request, ask);
  return found.ok && request.options?.requireTls === true ? raised(found.value, exchanger, request) : found;
}

/** What is published about the exchanger, on top of `may`, `encrypt` or `dane`. */
async function discovered(
  exchanger: PolicyExchanger,
  request: PolicyRequest,
  ask: PolicyOracles,
): Promise<Policed> {
  const dane: DaneAnswer = mayHaveDane(exchanger)
    ? await lookUpDane(exchanger, request.port, ask.resolve)
    : { kind: "none" };
  const isDemanded = request.tls.level === "dane";
  switch (dane.kind) {
    case "temporary":
      return err(daneTrouble(exchanger.host));
    case "records": {
      const proof: Proof = { kind: "dane", records: dane.records, names: daneNames(exchanger, request, dane.base) };
      return ok({ ...policy(request, "must", proof, "dane"), servername: dane.base });
    }
    case "unusable":
      return isDemanded ? err(noDane(exchanger.host)) : ok(policy(request, "must", undefined, "dane"));
    case "none":
      if (isDemanded) return err(noDane(exchanger.host));
      return mayHaveSts(exchanger, request) ? await bySts(exchanger, request, ask) : ok(least(request));
    default:
      return assertNever(dane);
  }
}

/** A relay is nobody's MX, and a policy is one for SMTP to a domain. */
function mayHaveSts({ byMx }: PolicyExchanger, { protocol, domain }: PolicyRequest): boolean {
  return byMx && protocol === "smtp" && !domain.startsWith("[");
}

async function bySts({ host }: PolicyExchanger, request: PolicyRequest, ask: PolicyOracles): Promise<Policed> {
  const lookup = lookupOf(request.domain);
  if (!lookup.ok || lookup.value.kind !== "name") return ok(least(request));
  const sts = await ask.sts.policy(lookup.value.name);
  // Without an answer there is no policy (RFC 8461 §3.3).
  if (sts.kind !== "policy") return ok(least(request));
  const isListed = isListedMx(sts.mx, host);
  const proof = authority([host], request.tls);
  if (sts.mode === "enforce") {
    return isListed ? ok(policy(request, "must", proof, "sts")) : err(notListed(host, lookup.value.name));
  }
  const tested = { ...policy(request, least(request).tls, proof, "sts"), enforced: false };
  return ok(isListed ? tested : { ...tested, flaw: "validation-failure" });
}

/** RFC 8689 §4.2.1: by DANE, MTA-STS, or by an authority for a name that DNSSEC or the operator vouches for. */
function raised(found: TlsPolicy, exchanger: PolicyExchanger, request: PolicyRequest): Policed {
  if (found.tls === "none") return err(needsTls);
  const { byMx, authenticated, nameAuthenticated, host } = exchanger;
  const { flaw, ...rest } = found;
  const given = flaw === undefined ? found.proof : undefined;
  const isNameSure = !byMx || authenticated || nameAuthenticated === true;
  // Any other proof is one for the exchanger's name, whoever has named it.
  const namesItself = given !== undefined &&
    (given.kind !== "authority" || found.source === "sts" || request.tls.names.length > 0);
  if (!isNameSure && !namesItself) return err(needsProof(host));
  const proof = given ?? authority([host], request.tls);
  const source = given !== undefined && found.enforced ? found.source : "requiretls";
  return ok({ ...rest, tls: "must", proof, enforced: true, source, requireTls: true });
}

/** What holds where nothing is published, or the message wants it passed over. */
export function least(request: PolicyRequest): TlsPolicy {
  return policy(request, request.tls.level === "encrypt" || request.tls.implicit ? "must" : "may", undefined);
}

function policy(
  { tls: wish, relayHost }: PolicyRequest,
  tls: TlsPolicy["tls"],
  proof: Proof | undefined,
  source: PolicySource = wish.isDefault ? "default" : relayHost === undefined ? "tlsdestinations" : "route",
): TlsPolicy {
  return { tls, implicit: wish.implicit && tls !== "none", proof, enforced: true, source, requireTls: false };
}

function wishedProof({ host }: PolicyExchanger, { tls: wish }: PolicyRequest): Proof {
  const names = wish.names.length > 0 ? wish.names : [host];
  if (wish.fingerprints.length > 0) return { kind: "fingerprint", fingerprints: wish.fingerprints };
  const { anchors = [] } = wish;
  if (anchors.length === 0) return authority(names, wish);
  // What an operator says of an authority's certificate is what a record of usage 2 would say.
  const records = anchors.map((data) => ({ usage: 2, selector: 0, matching: 1, data }));
  return { kind: "dane", records, names };
}

function authority(names: readonly string[], { authorities }: TlsWish): Proof {
  return { kind: "authority", names, ...(authorities === undefined ? {} : { authorities }) };
}

/** RFC 7672 §3.2.2: the records' name, the exchanger's, and the domain that the mail is for. */
function daneNames({ host, byMx }: PolicyExchanger, { domain }: PolicyRequest, base: string): readonly string[] {
  return [...new Set(byMx ? [base, host, domain] : [base, host])];
}

const needsTls = report("D", "Message requires TLS to the next host, which I cannot give it. (#5.7.30)");

function needsProof(host: string): DeliveryReport {
  return report("D", `Message requires TLS that is proved, and nothing vouches for the name ${host}. (#5.7.30)`);
}

function daneTrouble(host: string): DeliveryReport {
  return report("Z", `Sorry, I couldn't find out whether ${host} has TLSA records. (#4.7.5)`);
}

function noDane(host: string): DeliveryReport {
  return report("Z", `Sorry, ${host} has no TLSA records of use, and I may not send mail there without. (#4.7.5)`);
}

function notListed(host: string, domain: string): DeliveryReport {
  return report("Z", `Sorry, ${host} is no mail exchanger that the MTA-STS policy of ${domain} lists. (#4.7.5)`);
}
