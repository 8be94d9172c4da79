/**
 * Certificates that clients show: who may issue them (clientca.pem), and whether one of those has issued this one.
 * @module
 */
import type { X509Certificate } from "node:crypto";
import { Buffer } from "node:buffer";
import { utf8Octets } from "../octets.ts";
import { err, type Result } from "../result.ts";
import { isCertificate, isIssuedBy, parseCertificates } from "./certificate.ts";
import { contextTag, element, oid, readElements, tags } from "./der.ts";
import { parsePem } from "./pem.ts";

/** The certificates of a PEM file that holds nothing else of interest (clientca.pem). */
export function parseAuthorities(text: string): Result<readonly X509Certificate[], string> {
  const read = parsePem(text);
  if (!read.ok) return read;
  const certificates = parseCertificates(read.value.filter(isCertificate).map((block) => block.text));
  if (certificates.ok && certificates.value.length === 0) {
    return err("expected at least one certificate, there is none");
  }
  return certificates;
}

/** id-ce-extKeyUsage, and of what it may name id-kp-clientAuth and anyExtendedKeyUsage (RFC 5280 §4.2.1.12). */
const extendedKeyUsage = oid("2.5.29.37");
const forClients = [oid("1.3.6.1.5.5.7.3.2"), oid("2.5.29.37.0")];

function same(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

/** Whether the certificate says what it is for, and TLS clients are not among it. Unreadable: it is. */
function isForOthers({ raw }: X509Certificate): boolean {
  const inside = (octets: Uint8Array | undefined, tag: number) =>
    (octets && readElements(octets)?.find((found) => found.tag === tag))?.content;
  const tbsCertificate = inside(inside(raw, tags.sequence), tags.sequence);
  const extensions = inside(inside(tbsCertificate, contextTag(3)), tags.sequence);
  if (extensions === undefined) return false;
  for (const { content } of readElements(extensions) ?? []) {
    if (!same(content.subarray(0, extendedKeyUsage.length), extendedKeyUsage)) continue;
    const purposes = inside(inside(content, tags.octetString), tags.sequence);
    const named = (purposes && readElements(purposes)) ?? [];
    return !named.some(({ tag, content }) => forClients.some((purpose) => same(element(tag, content), purpose)));
  }
  return false;
}

/**
 * Whether one of the authorities has issued a client's certificate, and both are valid now. Unlike OpenSSL: certificates
 * the client sends along count for nothing, an intermediate authority has to be among `authorities` itself.
 */
export function isTrusted(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  nowMs: number,
): boolean {
  const isValid = ({ validFrom, validTo }: X509Certificate) =>
    Date.parse(validFrom) <= nowMs && nowMs <= Date.parse(validTo);
  return isValid(certificate) && !isForOthers(certificate) &&
    authorities.some((issuer) => issuer.ca && isValid(issuer) && isIssuedBy(certificate, issuer));
}

/**
 * A certificate's subject as one line, for people: an octet string without control characters. No ground for decisions, for
 * a name may hold what looks like the beginning of the next one.
 */
export function subjectLine({ subject }: X509Certificate): string {
  // deno-lint-ignore no-control-regex
  return utf8Octets(subject.replaceAll("\n", ", ").replace(/[\x00-\x1f\x7f]/g, "?"));
}
