/**
 * The operator's token for the admin page, as control/admintoken keeps it: `sha256:` and the SHA-256 of the token in hex.
 * A token is 192 random bits, so one round of a fast hash is enough: there is nothing in it to guess.
 * @module
 */
import { Buffer } from "node:buffer";
import { nodeCrypto } from "../process/builtin.ts";
import { err, ok, type Result } from "../result.ts";

/** In front of every token, so that whoever finds one in a file knows what it opens. */
const front = "dqa_";
const randomBytes = 24;

/** Longer than any token: nothing longer is looked into. */
export const longestToken = 200;

/** A new token out of {@link randomBytes} random octets. */
export function formatToken(random: Uint8Array): string {
  return `${front}${Buffer.from(random).toString("base64url")}`;
}

/** A new token. */
export function newToken(): string {
  return formatToken(crypto.getRandomValues(new Uint8Array(randomBytes)));
}

/** What control/admintoken holds for a token: the hash in hex, 64 digits. */
export function hashToken(token: string): string {
  return nodeCrypto().createHash("sha256").update(token, "utf8").digest("hex");
}

/** The file's text, with its line end. */
export function formatTokenFile(token: string): string {
  return `sha256:${hashToken(token)}\n`;
}

/** The hash in control/admintoken, lower case; "" of an empty file: nobody can log in. */
export function parseTokenFile(text: string): Result<string, string> {
  const line = (text.split("\n", 1)[0] ?? "").trimEnd();
  if (line === "") return ok("");
  const [, hash] = /^sha256:([0-9a-fA-F]{64})$/.exec(line) ?? [];
  // What stands there instead may be a token: it is not repeated.
  return hash === undefined ? err("expected sha256: and 64 hexadecimal digits") : ok(hash.toLowerCase());
}

/** What people are shown of the file. */
export function maskTokenFile(text: string): string {
  return text.trim() === "" ? text : "sha256:(hidden)\n";
}

/** Whether `token` is the one that `hash` was made of; takes as long for any other. Nothing is for the empty hash. */
export function isToken(token: string, hash: string): boolean {
  if (token.length > longestToken || hash === "") return false;
  return nodeCrypto().timingSafeEqual(Buffer.from(hashToken(token), "hex"), Buffer.from(hash, "hex"));
}
