/**
 * Makes a self-signed certificate: enough for a client to encrypt, and for nobody to be sure whom to.
 *
 * Its DER is written here: a certificate of this one form has ten fields, and the libraries that make every form bring along
 * a dozen packages. The keys and the signature are WebCrypto's.
 * @module
 */
import { contextTag, element, oid, tags } from "../../components/lib/tls/der.ts";

const years = 10;
const dayMs = 86_400_000;

const p256 = { name: "ECDSA", namedCurve: "P-256" } as const;
const ecdsaWithSha256 = element(tags.sequence, oid("1.2.840.10045.4.3.2"));

function text(tag: number, value: string): Uint8Array {
  return element(tag, new TextEncoder().encode(value));
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280 §4.1.2.5). */
function time(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().slice(0, 19).replace(/[-T:]/g, "") + "Z";
  return digits < "2050" ? text(tags.utcTime, digits.slice(2)) : text(tags.generalizedTime, digits);
}

/** An extension (RFC 5280 §4.2); only a critical one says so. */
function extension(dotted: string, value: Uint8Array, critical = false): Uint8Array {
  const isCritical = critical ? [element(tags.boolean, Uint8Array.of(0xff))] : [];
  return element(tags.sequence, oid(dotted), ...isCritical, element(tags.octetString, value));
}

/** A non-negative integer of these octets. */
function integer(octets: Uint8Array): Uint8Array {
  const start = octets.findIndex((octet) => octet !== 0);
  const digits = start < 0 ? Uint8Array.of(0) : octets.subarray(start);
  return element(tags.integer, ...(digits[0]! >= 0x80 ? [Uint8Array.of(0), digits] : [digits]));
}

function bitString(octets: Uint8Array): Uint8Array {
  return element(tags.bitString, Uint8Array.of(0), octets);
}

function pem(label: string, der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/**
 * A new P-256 key and a certificate for it, valid for ten years from the day before `nowMs` (a client's clock may be slow),
 * as one PEM text. `names`: host names; the first one is also the subject's.
 */
export async function selfSignedCertificate(names: readonly string[], nowMs: number): Promise<string> {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(p256, true, ["sign", "verify"]);
  const publicDer = new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
  const privateDer = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  const from = nowMs - dayMs;
  // X.520 commonName: 64 characters at the most; the full name is among the alternative ones.
  const commonName = element(tags.sequence, oid("2.5.4.3"), text(tags.utf8String, names[0]!.slice(0, 64)));
  const subject = element(tags.sequence, element(tags.set, commonName));
  const extensions = [
    // No authority for others; digitalSignature; serverAuth.
    extension("2.5.29.19", element(tags.sequence), true),
    extension("2.5.29.15", element(tags.bitString, Uint8Array.of(7, 0x80)), true),
    extension("2.5.29.37", element(tags.sequence, oid("1.3.6.1.5.5.7.3.1"))),
    extension("2.5.29.17", element(tags.sequence, ...names.map((name) => text(dnsName, name)))),
  ];
  const tbsCertificate = element(
    tags.sequence,
    element(contextTag(0), integer(Uint8Array.of(2))),
    integer(crypto.getRandomValues(new Uint8Array(16))),
    ecdsaWithSha256,
    subject,
    element(tags.sequence, time(from), time(from + years * 365.25 * dayMs)),
    subject,
    publicDer,
    element(contextTag(3), element(tags.sequence, ...extensions)),
  );
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const signed = Uint8Array.from(tbsCertificate);
  const signature = ecdsaSignature(new Uint8Array(await crypto.subtle.sign(algorithm, privateKey, signed)));
  const certificate = element(tags.sequence, tbsCertificate, ecdsaWithSha256, bitString(signature));
  return pem("CERTIFICATE", certificate) + pem("PRIVATE KEY", privateDer);
}

/** GeneralName's dNSName: a primitive context-specific element. */
const dnsName = 0x82;

/** WebCrypto's two numbers side by side, as X.509 has them (RFC 3279 §2.2.3). */
function ecdsaSignature(raw: Uint8Array): Uint8Array {
  const half = raw.length / 2;
  return element(tags.sequence, integer(raw.subarray(0, half)), integer(raw.subarray(half)));
}
