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
import { formatTlsa } from "../lib/dane/tlsa.ts";
import { assertNever, err, ok, type Result } from "../lib/result.ts";
import { isListedMx } from "../lib/sts/mx_match.ts";
import type { PolicySource, Proof, TlsFlaw, TlsPolicy, TlsWish } from "../lib/tls/client_policy.ts";
import type { DeliveryReport, RemoteRequest } from "../lib/wire/delivery_protocol.ts";
import type { StsAnswer } from "../lib/wire/sts_client.ts";
import type { Resolve } from "./find_addresses.ts";
import { lookupOf } from "./mx.ts";
import { report } from "./reports.ts";

/** The server that a policy is wanted for. `authenticated`: MX and address answers, of a relay the address answers, had AD. */
export interface PolicyExchanger extends DaneHost {
  /** False: a route's relay. */
  readonly byMx: boolean;
}

/** What the domain or its exchanger publishes about TLS, as a report to it says that (RFC 8460 §4.2). */
export interface Published {
  readonly type: "sts" | "tlsa";
  /** The policy's lines, or the TLSA records that count; none where it could not be read. */
  readonly strings: readonly string[];
}

/** The policy for one exchanger, and what it came from; `published` is absent where nothing is. */
export interface HostPolicy extends TlsPolicy {
  readonly published?: Published;
}

/** Why an exchanger must not be given a message. */
export interface Refusal {
  readonly report: DeliveryReport;
  /** What was wrong with what is published; absent where that has no part in it. */
  readonly flaw?: TlsFlaw;
  readonly published?: Published;
}

/** Whom to ask. Neither rejects. */
export interface PolicyOracles {
  readonly resolve: Resolve;
  readonly sts: { policy(domain: string): Promise<StsAnswer> };
}

/** What of a request decides. */
export type PolicyRequest = Pick<RemoteRequest, "domain" | "relayHost" | "port" | "protocol" | "tls" | "options">;

type Policed = Result<HostPolicy, Refusal>;

/**
 * The policy for `exchanger`; or the refusal of an exchanger that this message must not be given to, now (Z) or ever (D).
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
  const tlsa = (strings: readonly string[]) => ({ published: { type: "tlsa", strings } }) as const;
  switch (dane.kind) {
    case "temporary":
      return err({ report: daneTrouble(exchanger.host), flaw: "dnssec-invalid", ...tlsa([]) });
    case "records": {
      const proof: Proof = { kind: "dane", records: dane.records, names: daneNames(exchanger, request, dane.base) };
      return ok({
        ...policy(request, "must", proof, "dane"),
        servername: dane.base,
        ...tlsa(dane.records.map(formatTlsa)),
      });
    }
    case "unusable":
      return isDemanded
        ? err({ report: noDane(exchanger.host), flaw: "tlsa-invalid", ...tlsa([]) })
        : ok({ ...policy(request, "must", undefined, "dane"), flaw: "tlsa-invalid", ...tlsa([]) });
    case "none":
      if (isDemanded) return err({ report: noDane(exchanger.host), flaw: "dane-required" });
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
  // Without an answer there is no policy (RFC 8461 §3.3); where there should be one, that is worth a report.
  if (sts.kind === "temporary") return ok(least(request));
  if (sts.kind === "none") {
    const { flaw } = sts;
    return ok(
      flaw === undefined ? least(request) : { ...least(request), flaw, published: { type: "sts", strings: [] } },
    );
  }
  const published = { type: "sts", strings: sts.strings } as const;
  const isListed = isListedMx(sts.mx, host);
  const proof = authority([host], request.tls);
  if (sts.mode === "enforce") {
    return isListed
      ? ok({ ...policy(request, "must", proof, "sts"), published })
      : err({ report: notListed(host, lookup.value.name), flaw: "validation-failure", published });
  }
  const tested = { ...policy(request, least(request).tls, proof, "sts"), enforced: false, published };
  return ok(isListed ? tested : { ...tested, flaw: "validation-failure" });
}

/** RFC 8689 §4.2.1: by DANE, MTA-STS, or by an authority for a name that DNSSEC or the operator vouches for. */
function raised(found: HostPolicy, exchanger: PolicyExchanger, request: PolicyRequest): Policed {
  if (found.tls === "none") return err({ report: needsTls });
  const { byMx, authenticated, nameAuthenticated, host } = exchanger;
  const { flaw, published } = found;
  const given = flaw === undefined ? found.proof : undefined;
  const isNameSure = !byMx || authenticated || nameAuthenticated === true;
  // Any other proof is one for the exchanger's name, whoever has named it.
  const namesItself = given !== undefined &&
    (given.kind !== "authority" || found.source === "sts" || request.tls.names.length > 0);
  if (!isNameSure && !namesItself) {
    // Whatever is published is at fault only where it has a flaw.
    return err({ report: needsProof(host), ...(flaw === undefined ? {} : { flaw, ...(published && { published }) }) });
  }
  const proof = given ?? authority([host], request.tls);
  const source = given !== undefined && found.enforced ? found.source : "requiretls";
  return ok({ ...found, tls: "must", proof, enforced: true, source, requireTls: true });
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
