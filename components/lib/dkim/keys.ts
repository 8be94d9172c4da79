/**
 * Key files: `dkim/DOMAIN/SELECTOR.pem` in the home, PKCS #8 in PEM, RSA or Ed25519.
 * @module
 */
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { describeError } from "../log/log.ts";
import { err, ok, type Result } from "../result.ts";
import type { Algorithm } from "./choose.ts";
import type { SigningKey } from "./sign.ts";

/** RFC 8301 §3.2: whatever is signed with less, nobody believes. */
const leastRsaBits = 1024;
/** RFC 8301 §3.2: verifiers need not take more. */
const mostRsaBits = 4096;

export interface PrivateKey {
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
  /** Of RSA. */
  readonly bits?: number;
}

/** Reads a PEM text. The error names no octet of it. */
export function parsePrivateKey(pem: string): Result<PrivateKey, string> {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    return err(`expected a private key in PEM (${describeError(error)})`);
  }
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return ok({ algorithm: "ed25519-sha256", key });
    case "rsa": {
      const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
      const isGood = bits >= leastRsaBits && bits <= mostRsaBits;
      return isGood
        ? ok({ algorithm: "rsa-sha256", key, bits })
        : err(`expected RSA of ${leastRsaBits} to ${mostRsaBits} bits, got ${bits}`);
    }
    default:
      return err(`expected a key of RSA or Ed25519, got ${key.asymmetricKeyType}`);
  }
}

/** For WebCrypto, which does not give it away again. */
export async function signingKey(
  domain: string,
  selector: string,
  { algorithm, key }: PrivateKey,
): Promise<SigningKey> {
  const name = algorithm === "rsa-sha256" ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } : { name: "Ed25519" };
  const der = Uint8Array.from(key.export({ type: "pkcs8", format: "der" }));
  return { domain, selector, algorithm, key: await crypto.subtle.importKey("pkcs8", der, name, false, ["sign"]) };
}

/** The record for `SELECTOR._domainkey.DOMAIN` (RFC 6376 §3.6.1, RFC 8463 §4.2). */
export function keyRecord({ algorithm, key }: PrivateKey): string {
  const info = createPublicKey(key).export({ type: "spki", format: "der" });
  // The last 32 octets of Ed25519's are the key itself, which is what its record has.
  const isRsa = algorithm === "rsa-sha256";
  const p = Buffer.from(isRsa ? info : info.subarray(-32)).toString("base64");
  return `v=DKIM1; k=${isRsa ? "rsa" : "ed25519"}; p=${p}`;
}

/** Octets of one string of a TXT record. */
const longestString = 255;

/**
 * A TXT record as a line of a zone file: a value of more than 255 octets in several strings, which whoever asks puts
 * together again (RFC 6376 §3.6.2.2). ASCII.
 *
 * @example
 * ```ts
 * import { txtLine } from "./keys.ts";
 * txtLine("s1._domainkey.example.org", "v=DKIM1; p=AA=="); // 's1._domainkey.example.org. IN TXT "v=DKIM1; p=AA=="'
 * ```
 */
export function txtLine(name: string, value: string): string {
  const strings = value.match(new RegExp(`.{1,${longestString}}`, "g")) ?? [""];
  return `${name}. IN TXT ${strings.map((one) => `"${one.replace(/["\\]/g, "\\$&")}"`).join(" ")}`;
}
