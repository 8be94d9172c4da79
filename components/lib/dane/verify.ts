/**
 * Whether TLSA records vouch for the certificates that a server shows (RFC 7671 §5, RFC 7672 §3.1).
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { isIssuedBy } from "../tls/certificate.ts";
import { hasName } from "../tls/client_names.ts";
import { type PeerCertificate, readPeerCertificate } from "../tls/client_peer_certificate.ts";
import type { TlsaRecord, TlsFlaw } from "../tls/client_policy.ts";
import { daneEe, daneTa } from "./tlsa.ts";

/** `text` begins with a verb's subject, for one line of a report. */
export interface Failing {
  readonly flaw: TlsFlaw;
  readonly text: string;
}

/** No server needs more; and each costs a signature's check against each of the others. */
const mostCertificates = 10;

interface Link {
  readonly x509: X509Certificate;
  readonly fields: PeerCertificate;
}

/**
 * What is wrong with a server's certificates (its own first, the others in any order); undefined: one of `records`, which
 * are usable ones, vouches for them. One of usage 3 does so for the server's certificate whatever its names and dates are;
 * one of usage 2 for what its certificate has issued, where names and dates are right.
 */
export function daneFailing(
  records: readonly TlsaRecord[],
  chain: readonly X509Certificate[],
  names: readonly string[],
  nowMs: number,
): Failing | undefined {
  const links = chain.slice(0, mostCertificates).flatMap((x509): Link[] => {
    const fields = readPeerCertificate(x509.raw);
    return fields === undefined ? [] : [{ x509, fields }];
  });
  const [own] = links;
  if (own === undefined || own.x509 !== chain[0]) {
    return { flaw: "validation-failure", text: "its certificate cannot be read" };
  }
  if (records.some((record) => record.usage === daneEe && matches(record, own))) return undefined;
  const anchors = records.filter(({ usage }) => usage === daneTa);
  if (anchors.length === 0) {
    return { flaw: "validation-failure", text: "its certificate is none that its TLSA records name" };
  }
  return anchorFailing(anchors, [...links, ...anchorsWithin(anchors)], names, nowMs);
}

/** Whether the record is about this certificate, or its key. */
function matches({ selector, matching, data }: TlsaRecord, { x509, fields }: Link): boolean {
  const subject = selector === 0 ? x509.raw : fields.publicKey;
  if (matching === 0) return Buffer.from(subject).toString("hex") === data;
  return createHash(matching === 1 ? "sha256" : "sha512").update(subject).digest("hex") === data;
}

/** Certificates that stand in records themselves; a server need not show these. */
function anchorsWithin(anchors: readonly TlsaRecord[]): readonly Link[] {
  return anchors.filter(({ selector, matching }) => selector === 0 && matching === 0).flatMap(({ data }) => {
    try {
      const x509 = new X509Certificate(Buffer.from(data, "hex"));
      const fields = readPeerCertificate(x509.raw);
      return fields === undefined ? [] : [{ x509, fields }];
    } catch {
      return [];
    }
  });
}

/** Keys that stand in records themselves, without a certificate. */
function keysWithin(anchors: readonly TlsaRecord[]): readonly KeyObject[] {
  return anchors.filter(({ selector, matching }) => selector === 1 && matching === 0).flatMap(({ data }) => {
    try {
      return [createPublicKey({ key: Buffer.from(data, "hex"), format: "der", type: "spki" })];
    } catch {
      return [];
    }
  });
}

/** Looks for a way from the server's certificate up to an anchor, shortest first, each certificate once. */
function anchorFailing(
  anchors: readonly TlsaRecord[],
  links: readonly Link[],
  names: readonly string[],
  nowMs: number,
): Failing | undefined {
  const own = links[0]!;
  const keys = keysWithin(anchors);
  const seen = new Set<Link>([own]);
  let hasExpired = false;
  let level: readonly Link[] = [own];
  for (let depth = 0; level.length > 0; depth++) {
    const valid = level.filter(({ x509 }) => isValid(x509, nowMs));
    if (valid.length < level.length) hasExpired = true;
    const isAnchored = valid.some((link) =>
      anchors.some((record) => matches(record, link)) && (depth > 0 || isIssuedBy(link.x509, link.x509)) ||
      keys.some((key) => isSignedBy(link.x509, key))
    );
    if (isAnchored) return namedFailing(own.fields, names);
    level = links.filter((link) =>
      !seen.has(link) && mayIssue(link.fields, depth) && valid.some(({ x509 }) => isIssuedBy(x509, link.x509))
    );
    for (const link of level) seen.add(link);
  }
  return hasExpired
    ? { flaw: "certificate-expired", text: "a certificate it shows has expired, or is not valid yet" }
    : { flaw: "certificate-not-trusted", text: "its certificate was issued by none that its TLSA records name" };
}

function namedFailing(own: PeerCertificate, names: readonly string[]): Failing | undefined {
  if (own.isStrange || !own.isForServers) {
    return { flaw: "validation-failure", text: "its certificate is not one for mail servers" };
  }
  return hasName(own, names, { commonName: true }) ? undefined : {
    flaw: "certificate-host-mismatch",
    text: `its certificate is not for ${names[0] ?? "it"}`,
  };
}

/** `depth`: how many authorities stand below it. */
function mayIssue({ isAuthority, authoritiesBelow, isStrange }: PeerCertificate, depth: number): boolean {
  return isAuthority && authoritiesBelow >= depth && !isStrange;
}

function isSignedBy(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.verify(key);
  } catch {
    // A key or a signature of a kind that cannot be checked here.
    return false;
  }
}

function isValid({ validFrom, validTo }: X509Certificate, nowMs: number): boolean {
  return Date.parse(validFrom) <= nowMs && nowMs <= Date.parse(validTo);
}
