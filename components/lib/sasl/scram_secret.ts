/**
 * What a server keeps for SCRAM-SHA-256 (RFC 5802 §3, RFC 7677) instead of a password, and its text form, Dovecot's:
 * `{SCRAM-SHA-256}iterations,salt,StoredKey,ServerKey`, the last three in base64.
 * @module
 */
import { createHash, createHmac, pbkdf2 } from "node:crypto";
import { decodeBase64, encodeBase64 } from "../smtp/base64.ts";

export interface ScramSecret {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/** Octets of SHA-256. */
export const keyBytes = 32;
const prefix = "{SCRAM-SHA-256}";
const longestSalt = 255;
/** The client does this work, the server only where it is given the password itself; a file can ask for no more. */
const mostIterations = 10_000_000;

/**
 * Of secrets made here. RFC 7677 wants 4096 at least; as many as this keep a stolen file from being read at once, and cost
 * the client, which does this work at each login, some 30 ms. With one more Cyrus SASL (Postfix, Sendmail) refuses to.
 */
export const usualIterations = 65_536;

export function hmac(key: Uint8Array, octets: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(octets).digest());
}

export function sha256(octets: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(octets).digest());
}

/** Undefined for anything but a whole secret. */
export function parseScramSecret(text: string): ScramSecret | undefined {
  if (text.slice(0, prefix.length).toUpperCase() !== prefix) return undefined;
  const fields = text.slice(prefix.length).split(",");
  const [count = "", ...octets] = fields;
  const [salt, storedKey, serverKey] = octets.map(decodeBase64);
  const iterations = /^[1-9][0-9]{0,7}$/.test(count) ? Number(count) : 0;
  if (fields.length !== 4 || iterations === 0 || iterations > mostIterations) return undefined;
  if (salt === undefined || salt.length === 0 || salt.length > longestSalt) return undefined;
  if (storedKey?.length !== keyBytes || serverKey?.length !== keyBytes) return undefined;
  return { salt, iterations, storedKey, serverKey };
}

export function formatScramSecret({ salt, iterations, storedKey, serverKey }: ScramSecret): string {
  return prefix + [iterations, ...[salt, storedKey, serverKey].map(encodeBase64)].join(",");
}

/** The secret of a password, whose octets are taken as they are ({@link prepareText} is the caller's). */
export async function deriveScramSecret(
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
): Promise<ScramSecret> {
  const salted = await new Promise<Uint8Array>((resolve, reject) => {
    pbkdf2(
      password,
      salt,
      iterations,
      keyBytes,
      "sha256",
      (error, key) => error === null || error === undefined ? resolve(new Uint8Array(key)) : reject(error),
    );
  });
  const key = (label: string) => hmac(salted, new TextEncoder().encode(label));
  return { salt, iterations, storedKey: sha256(key("Client Key")), serverKey: key("Server Key") };
}

/** RFC 4013 §2.1: blanks of other scripts. */
const otherBlanks = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;
/** RFC 3454, table B.1: what is mapped to nothing. */
const nothing = /[\u00ad\u034f\u1806\u180b-\u180d\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]/g;

/**
 * SASLprep's mapping and normalization (RFC 4013 §2.1 and §2.2) of a password that is being set. Clients do the same
 * before they compute a proof; one that does not gets the same for what people type, composed characters.
 */
export function prepareText(text: string): string {
  return text.replace(otherBlanks, " ").replace(nothing, "").normalize("NFKC");
}
