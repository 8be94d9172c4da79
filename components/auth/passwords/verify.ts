/**
 * Whether a password is the one that a field of users/passwd was made of: Dovecot's `{SCHEME}value`, and crypt(3)'s hashes
 * without one. No field makes it throw; what is not known here, or would take more work than a login may, matches nothing.
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { argon2Verify, bcryptVerify } from "hash-wasm";
import { toOctets, utf8Octets } from "../../lib/octets.ts";
import { decodeBase64 } from "../../lib/smtp/base64.ts";
import { deriveScramSecret, parseScramSecret } from "../../lib/sasl/scram_secret.ts";
import { md5Crypt } from "./md5_crypt.ts";
import { shaCrypt } from "./sha_crypt.ts";

/** `unsupported`: no password can match this field here. */
export type Match = "right" | "wrong" | "unsupported";

type Scheme = (password: Uint8Array, value: string) => Match | Promise<Match>;

/** 1 GiB, as KiB: what argon2 may take for one login. */
const mostMemoryKib = 1_048_576;
/** Memory times passes: some ten seconds. */
const mostArgonWork = 4 * mostMemoryKib;
/** 2^16 rounds: some five seconds. */
const mostBcryptCost = 16;
/** bcrypt reads no more of a password. */
const bcryptBytes = 72;

const schemes: ReadonlyMap<string, Scheme> = new Map<string, Scheme>([
  ["ARGON2ID", argon2],
  ["ARGON2I", argon2],
  ["BLF-CRYPT", bcrypt],
  ["SHA256-CRYPT", crypt],
  ["SHA512-CRYPT", crypt],
  ["MD5-CRYPT", crypt],
  ["MD5", crypt],
  ["CRYPT", crypt],
  ["SCRAM-SHA-256", scram],
  ["PLAIN", plain],
  ["CLEARTEXT", plain],
  ["CLEAR", plain],
  ["PLAIN-MD5", (password, value) => isSame(digestOf("md5", password), hexOctets(value))],
  ["LDAP-MD5", salted("md5", 16, false)],
  ["SMD5", salted("md5", 16, true)],
  ["SHA", salted("sha1", 20, false)],
  ["SHA1", salted("sha1", 20, false)],
  ["SSHA", salted("sha1", 20, true)],
  ["SHA256", salted("sha256", 32, false)],
  ["SSHA256", salted("sha256", 32, true)],
  ["SHA512", salted("sha512", 64, false)],
  ["SSHA512", salted("sha512", 64, true)],
]);

/** Scheme and value of a field; without braces it is crypt(3)'s. */
function splitField(field: string): { scheme: string; value: string } {
  const [, scheme, value] = /^\{([A-Za-z0-9.-]{1,32})\}(.*)$/s.exec(field) ?? [];
  return scheme === undefined ? { scheme: "CRYPT", value: field } : { scheme: scheme.toUpperCase(), value: value! };
}

/** `password`: its octets, at least one. */
export async function verifyPassword(password: Uint8Array, field: string): Promise<Match> {
  const { scheme, value } = splitField(field);
  try {
    return await schemes.get(scheme)?.(password, value) ?? "unsupported";
  } catch {
    // A library's word for a value that is none; it could hold the hash.
    return "unsupported";
  }
}

/** The password itself, an octet string, where the field holds it; for mechanisms that need it. */
export function plainPassword(field: string): string | undefined {
  const { scheme, value } = splitField(field);
  return schemes.get(scheme) === plain ? utf8Octets(value) : undefined;
}

function crypt(password: Uint8Array, value: string): Match | Promise<Match> {
  const [, id] = /^\$([a-z0-9]{1,8})\$/.exec(value) ?? [];
  switch (id) {
    case "argon2i":
    case "argon2id":
      return argon2(password, value);
    case "2a":
    case "2b":
    case "2y":
      return bcrypt(password, value);
    case "5":
    case "6":
      return shaCrypt(password, value).then((hash) => isSameText(hash, value));
    case "1":
      return isSameText(md5Crypt(password, value), value);
    default:
      return "unsupported";
  }
}

async function argon2(password: Uint8Array, value: string): Promise<Match> {
  const [, memory, passes, lanes] =
    /^\$argon2id?\$v=19\$m=([0-9]{1,9}),t=([0-9]{1,9}),p=([0-9]{1,3})\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/.exec(value) ??
      [];
  const isBounded = Number(memory) <= mostMemoryKib && Number(memory) * Number(passes) <= mostArgonWork;
  if (lanes === undefined || !isBounded) return "unsupported";
  return await argon2Verify({ password, hash: value }) ? "right" : "wrong";
}

async function bcrypt(password: Uint8Array, value: string): Promise<Match> {
  const [, cost] = /^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$/.exec(value) ?? [];
  if (cost === undefined || Number(cost) > mostBcryptCost) return "unsupported";
  return await bcryptVerify({ password: password.subarray(0, bcryptBytes), hash: value }) ? "right" : "wrong";
}

async function scram(password: Uint8Array, value: string): Promise<Match> {
  const secret = parseScramSecret(`{SCRAM-SHA-256}${value}`);
  if (secret === undefined) return "unsupported";
  const { storedKey } = await deriveScramSecret(password, secret.salt, secret.iterations);
  return isSame(storedKey, secret.storedKey);
}

function plain(password: Uint8Array, value: string): Match {
  return isSame(digestOf("sha256", password), digestOf("sha256", toOctets(utf8Octets(value))));
}

/** A digest in base64, with what is behind it as the salt. */
function salted(algorithm: string, digestBytes: number, hasSalt: boolean): Scheme {
  return (password, value) => {
    const octets = decodeBase64(value) ?? new Uint8Array(0);
    const salt = octets.subarray(digestBytes);
    if (octets.length < digestBytes || (salt.length > 0) !== hasSalt) return "unsupported";
    return isSame(digestOf(algorithm, password, salt), octets.subarray(0, digestBytes));
  };
}

function digestOf(algorithm: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function hexOctets(value: string): Uint8Array {
  const digits = /^(?:[0-9a-fA-F]{2})*$/.test(value) ? value : "";
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) => parseInt(digits.slice(2 * at, 2 * at + 2), 16));
}

/** Compares in a time that does not tell where they differ; a stored value of another length is none. */
function isSame(computed: Uint8Array, stored: Uint8Array): Match {
  if (computed.length !== stored.length) return "unsupported";
  return timingSafeEqual(computed, stored) ? "right" : "wrong";
}

/** What crypt(3) made of the password, and what is stored; a setting may write its rounds in another way. */
function isSameText(computed: string | undefined, stored: string): Match {
  if (computed === undefined) return "unsupported";
  const hashOf = (text: string) => toOctets(utf8Octets(text.slice(text.lastIndexOf("$") + 1)));
  return isSame(hashOf(computed), hashOf(stored));
}
