/**
 * The channel binding tls-server-end-point (RFC 5929 §4.1): a hash of the server's certificate.
 * @module
 */
import type { X509Certificate } from "node:crypto";
import { nodeCrypto } from "../process/builtin.ts";
import { contextTag, oid, readElements, tags } from "./der.ts";

type Hash = "sha224" | "sha256" | "sha384" | "sha512";

/** Signature algorithms (RFC 3279, RFC 4055, RFC 5758, RFC 8410) with another hash than SHA-256, or than MD5 or SHA-1. */
const signatureHashes: ReadonlyMap<string, Hash> = new Map([
  ["1.2.840.113549.1.1.14", "sha224"],
  ["1.2.840.113549.1.1.12", "sha384"],
  ["1.2.840.113549.1.1.13", "sha512"],
  ["1.2.840.10045.4.3.1", "sha224"],
  ["1.2.840.10045.4.3.3", "sha384"],
  ["1.2.840.10045.4.3.4", "sha512"],
  // Ed25519 has a hash inside that nobody chooses. The RFC leaves this open; GnuTLS takes that one.
  ["1.3.101.112", "sha512"],
].map(([dotted, hash]) => [hex(oid(dotted!)), hash as Hash]));

/** The hashes that an RSASSA-PSS signature may name in its parameters (RFC 4055 §2.1). */
const hashes: ReadonlyMap<string, Hash> = new Map([
  ["2.16.840.1.101.3.4.2.4", "sha224"],
  ["2.16.840.1.101.3.4.2.2", "sha384"],
  ["2.16.840.1.101.3.4.2.3", "sha512"],
].map(([dotted, hash]) => [hex(oid(dotted!)), hash as Hash]));

const rsassaPss = hex(oid("1.2.840.113549.1.1.10"));

function hex(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

/** The first element in `octets` of this tag, without its tag and length. */
function inside(octets: Uint8Array | undefined, tag: number, index = 0): Uint8Array | undefined {
  return octets && readElements(octets)?.filter((found) => found.tag === tag)[index]?.content;
}

/** An OID's content in `octets`, as {@link hex} writes the whole of it. */
function firstOid(octets: Uint8Array | undefined): string | undefined {
  const content = inside(octets, tags.oid);
  return content && hex(Uint8Array.of(tags.oid, content.length, ...content));
}

/**
 * The hash that goes with the certificate's own signature. SHA-256 stands for MD5, SHA-1 and what is not known: a client
 * that takes another one finds a binding that differs, and does not log in with it.
 */
export function signatureHash(certificate: Uint8Array): Hash {
  // Certificate: tbsCertificate, signatureAlgorithm (algorithm, parameters), signatureValue (RFC 5280 §4.1).
  const algorithm = inside(inside(certificate, tags.sequence), tags.sequence, 1);
  const named = firstOid(algorithm) ?? "";
  if (named !== rsassaPss) return signatureHashes.get(named) ?? "sha256";
  const hashAlgorithm = inside(inside(algorithm, tags.sequence), contextTag(0));
  return hashes.get(firstOid(inside(hashAlgorithm, tags.sequence)) ?? "") ?? "sha256";
}

/** The binding of a server that shows this certificate. */
export function tlsServerEndPoint({ raw }: X509Certificate): Uint8Array {
  return new Uint8Array(nodeCrypto().createHash(signatureHash(raw)).update(raw).digest());
}
