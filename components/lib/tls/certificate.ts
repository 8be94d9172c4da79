/**
 * A server's certificate with its chain and key, as it stands in PEM files: read, and checked before anybody is shown it.
 * @module
 */
import type { KeyObject, X509Certificate } from "node:crypto";
import { err, ok, type Result } from "../result.ts";
import { nodeCrypto } from "../process/builtin.ts";
import { tlsServerEndPoint } from "./end_point.ts";
import { parsePem } from "./pem.ts";

export interface ServerCertificate {
  /** Server's own first; PEM. */
  readonly chain: string;
  /** PEM. Goes to the TLS library and nowhere else. */
  readonly key: string;
  readonly leaf: X509Certificate;
  readonly endPoint: Uint8Array;
  /** What a client may take offence at; the certificate is used all the same. */
  readonly warnings: readonly string[];
}

/** Days before the end from which on each start and reload says so. */
const soonDays = 14;
const dayMs = 86_400_000;

/** The curves that Deno's TLS signs with, by OpenSSL's names. */
const curves: readonly unknown[] = ["prime256v1", "secp384r1", "secp521r1"];
/** What Deno's TLS takes, and what clients trust. */
const leastRsaBits = 2048;

/**
 * Reads certificate, chain and key from `texts`: one PEM file with all of it, or one with the certificates and one with the
 * key. Errors say what was expected, and never show what is in the file.
 */
export function parseServerCertificate(
  texts: readonly string[],
  nowMs: number,
): Result<ServerCertificate, string> {
  const read = parsePem(texts.join("\n"));
  if (!read.ok) return read;
  const keys = read.value.filter(({ label }) => label.endsWith("PRIVATE KEY"));
  const certificates = parseCertificates(read.value.filter(isCertificate).map(({ text }) => text));
  if (!certificates.ok) return certificates;
  const chain = certificates.value;
  const [leaf] = chain;
  if (leaf === undefined) return err("expected a certificate (a CERTIFICATE block), there is none");
  const [keyBlock, ...moreKeys] = keys;
  if (keyBlock === undefined) return err("expected the certificate's private key (a PRIVATE KEY block), there is none");
  if (moreKeys.length > 0) return err(`expected one private key, got ${keys.length}`);
  const key = parseKey(keyBlock.text);
  if (!key.ok) return key;
  if (!leaf.checkPrivateKey(key.value)) {
    const index = chain.findIndex((certificate) => certificate.checkPrivateKey(key.value));
    return err(
      index > 0
        ? `expected the server's own certificate first, the private key fits number ${index + 1}`
        : "expected the private key of the first certificate, got another one",
    );
  }
  return ok({
    chain: chain.map((certificate) => certificate.toString()).join(""),
    key: keyBlock.text,
    leaf,
    endPoint: tlsServerEndPoint(leaf),
    warnings: [...validityWarnings(leaf, nowMs), ...chainWarnings(chain)],
  });
}

/** Whether a PEM block holds one. */
export function isCertificate({ label }: { readonly label: string }): boolean {
  return label === "CERTIFICATE" || label === "X509 CERTIFICATE" || label === "TRUSTED CERTIFICATE";
}

/** The certificates of PEM blocks; the error counts from 1 and shows nothing of them. */
export function parseCertificates(texts: readonly string[]): Result<readonly X509Certificate[], string> {
  const certificates: X509Certificate[] = [];
  for (const text of texts) {
    try {
      certificates.push(new (nodeCrypto().X509Certificate)(text));
    } catch {
      // What the library says would show what is in the file.
      return err(`certificate ${certificates.length + 1} of ${texts.length} is malformed`);
    }
  }
  return ok(certificates);
}

function parseKey(text: string): Result<KeyObject, string> {
  if (text.includes("ENCRYPTED")) return err("expected a private key without a password, got an encrypted one");
  let key: KeyObject;
  try {
    key = nodeCrypto().createPrivateKey(text);
  } catch {
    return err("the private key is malformed");
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const fits = type === "ed25519" || type === "ec" && curves.includes(details?.namedCurve) ||
    type === "rsa" && (details?.modulusLength ?? 0) >= leastRsaBits;
  if (fits) return ok(key);
  const kind = [type, details?.namedCurve ?? details?.modulusLength].filter((word) => word !== undefined).join(" ");
  return err(`expected a key of RSA (${leastRsaBits} bits or more), P-256, P-384, P-521 or Ed25519, got ${kind}`);
}

function validityWarnings(leaf: X509Certificate, nowMs: number): string[] {
  const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  if (nowMs > to) return [`expired on ${leaf.validTo}`];
  if (nowMs < from) return [`is not valid before ${leaf.validFrom}`];
  if (to - nowMs < soonDays * dayMs) return [`expires on ${leaf.validTo}`];
  return [];
}

/** Each certificate's issuer comes next; what is in another order helps no client. */
function chainWarnings(chain: readonly X509Certificate[]): string[] {
  return chain.flatMap((certificate, index) => {
    const next = chain[index + 1];
    return next === undefined || isIssuedBy(certificate, next)
      ? []
      : [`certificate ${index + 2} of ${chain.length} is not the issuer of the one before it`];
  });
}

/** Whether `issuer` is named as the issuer of `certificate`, and has signed it. */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    // A key or a signature of a kind that cannot be checked here.
    return false;
  }
}
