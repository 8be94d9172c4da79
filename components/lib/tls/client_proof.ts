/**
 * Whether the certificates that a server showed prove what a policy wants proved; what failed is named in RFC 8460's words.
 * @module
 */
import { createHash, type X509Certificate } from "node:crypto";
import { daneFailing, type Failing } from "../dane/verify.ts";
import { assertNever } from "../result.ts";
import { hasName } from "./client_names.ts";
import { readPeerCertificate } from "./client_peer_certificate.ts";
import type { Proof } from "./client_policy.ts";

export type { Failing } from "../dane/verify.ts";

/** What is known after a handshake. */
export interface Shown {
  /** The server's own first; empty: it showed none that can be read. */
  readonly chain: readonly X509Certificate[];
  /** What the library has against the chain, one of OpenSSL's words, names left out; undefined: an authority vouches for it. */
  readonly chainError: string | undefined;
}

/** What is wrong; undefined: it is proved. */
export function proofFailing(proof: Proof, { chain, chainError }: Shown, nowMs: number): Failing | undefined {
  const [own] = chain;
  if (own === undefined) return unreadable;
  switch (proof.kind) {
    case "authority":
      return chainError === undefined ? nameFailing(own, proof.names) : chainFailing(chainError);
    case "fingerprint":
      return proof.fingerprints.includes(createHash("sha256").update(own.raw).digest("hex"))
        ? undefined
        : { flaw: "validation-failure", text: "its certificate is another one" };
    case "dane":
      return daneFailing(proof.records, chain, proof.names, nowMs);
    default:
      return assertNever(proof);
  }
}

const unreadable: Failing = { flaw: "validation-failure", text: "its certificate cannot be read" };

/** RFC 8461 §4.1, RFC 9525 §6.3: alternative names only. */
function nameFailing(own: X509Certificate, names: readonly string[]): Failing | undefined {
  const fields = readPeerCertificate(own.raw);
  if (fields === undefined) return unreadable;
  return hasName(fields, names)
    ? undefined
    : { flaw: "certificate-host-mismatch", text: `its certificate is not for ${names[0] ?? "it"}` };
}

function chainFailing(error: string): Failing {
  switch (error) {
    case "CERT_HAS_EXPIRED":
      return { flaw: "certificate-expired", text: "its certificate, or one above it, has expired" };
    case "CERT_NOT_YET_VALID":
      return { flaw: "certificate-expired", text: "its certificate, or one above it, is not valid yet" };
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return { flaw: "certificate-not-trusted", text: "its certificate is vouched for by itself only" };
    default:
      return { flaw: "certificate-not-trusted", text: "its certificate is vouched for by no authority known here" };
  }
}
