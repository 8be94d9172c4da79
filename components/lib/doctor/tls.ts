/**
 * Our own certificate, and what TLSA records say of it (RFC 7672).
 * @module
 */
import { createHash, type X509Certificate } from "node:crypto";
import { lookUpDane } from "../dane/lookup.ts";
import { formatTlsa } from "../dane/tlsa.ts";
import { daneFailing } from "../dane/verify.ts";
import { hasName } from "../tls/client_names.ts";
import { readPeerCertificate } from "../tls/client_peer_certificate.ts";
import type { Ask } from "./ask.ts";
import { type Finding, findings } from "./finding.ts";
import type { Exchanger } from "./mx.ts";
import type { Site } from "./site.ts";

const certificate = findings("certificate");
const tlsa = findings("TLSA");

const dayMs = 86_400_000;
/** As the server itself says at its start. */
const soonDays = 14;
const smtpPort = 25;

export async function examineTls(
  site: Site,
  exchangers: readonly Exchanger[],
  ask: Ask,
  nowMs: number,
): Promise<readonly Finding[]> {
  const ours = exchangers.filter(({ isOurs }) => isOurs);
  if (site.certificates === "unseen") {
    return [certificate.note(site.me, "only deno task doctor looks at the certificate, and at TLSA records about it")];
  }
  if (!site.certificates.ok) return [certificate.unsure(site.me, site.certificates.error)];
  const chain = site.certificates.value;
  if (chain === undefined) {
    return [certificate.missing(site.me, "there is no control/servercert.pem: no TLS is offered")];
  }
  const names = ours.length > 0 ? ours.map(({ host }) => host) : [site.me];
  return [
    examineDates(chain[0]!, nowMs),
    ...examineNames(chain[0]!, names),
    ...await Promise.all(ours.map((exchanger) => examineTlsa(exchanger, chain, ask, nowMs))),
  ];
}

function examineDates(leaf: X509Certificate, nowMs: number): Finding {
  const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  const file = "control/servercert.pem";
  if (nowMs > to) return certificate.wrong(file, `it expired on ${leaf.validTo}`);
  if (nowMs < from) return certificate.wrong(file, `it is not valid before ${leaf.validFrom}`);
  const days = Math.floor((to - nowMs) / dayMs);
  return days < soonDays
    ? certificate.wrong(file, `it expires in ${days} days, on ${leaf.validTo}`)
    : certificate.good(file, `it is valid for ${days} more days`);
}

function examineNames(leaf: X509Certificate, names: readonly string[]): readonly Finding[] {
  const fields = readPeerCertificate(leaf.raw);
  if (fields === undefined) return [certificate.wrong("control/servercert.pem", "it cannot be read")];
  return names.map((name) =>
    hasName(fields, [name])
      ? certificate.good(name, "the certificate names it")
      : certificate.wrong(name, `the certificate names ${fields.dnsNames.join(", ") || "no host"}, not this MX`)
  );
}

async function examineTlsa(
  { host, authenticated }: Exchanger,
  chain: readonly X509Certificate[],
  ask: Ask,
  nowMs: number,
): Promise<Finding> {
  const name = `_${smtpPort}._tcp.${host}`;
  if (!authenticated) {
    return tlsa.note(name, "the zone is not signed, or the name server does not vouch for it: DANE has nothing to say");
  }
  const answer = await lookUpDane({ host, authenticated }, smtpPort, ask);
  switch (answer.kind) {
    case "temporary":
      return tlsa.unsure(name, "no name server gave an answer");
    case "none":
      return tlsa.note(name, "the zone is signed, so a record could vouch for the certificate's key", [
        recordOf(name, chain[0]!),
      ]);
    case "unusable":
      return tlsa.wrong(name, "none of its records means anything in SMTP (RFC 7672 §3.1)", [
        recordOf(name, chain[0]!),
      ]);
    case "records": {
      const failing = daneFailing(answer.records, chain, [host], nowMs);
      return failing === undefined
        ? tlsa.good(name, "it vouches for the certificate")
        : tlsa.wrong(name, `mail from servers with DANE does not arrive: ${failing.text}`, [recordOf(name, chain[0]!)]);
    }
  }
}

/** For the key alone: it outlives certificates (RFC 7671 §5.1). */
function recordOf(name: string, leaf: X509Certificate): string {
  const key = leaf.publicKey.export({ type: "spki", format: "der" });
  const data = createHash("sha256").update(key).digest("hex");
  return `${name}. IN TLSA ${formatTlsa({ usage: 3, selector: 1, matching: 1, data })}`;
}
