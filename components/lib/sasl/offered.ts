/**
 * Which mechanisms are on offer: control/smtpauth's words, less what cannot be done.
 * @module
 */
import { err, ok, type Result } from "../result.ts";
import type { Mechanism } from "./authenticator.ts";

/**
 * control/smtpauth's words, strongest first: clients take the first that they know. -PLUS has a word of its own: clients
 * that know it take it wherever it is on offer, and those with GNU SASL (mutt, msmtp) then want to bind to what Deno's TLS
 * does not tell (tls-exporter, RFC 9266), and log in by nothing else.
 */
const words: ReadonlyMap<string, Mechanism> = new Map<string, Mechanism>([
  ["scram-sha-256-plus", "SCRAM-SHA-256-PLUS"],
  ["scram-sha-256", "SCRAM-SHA-256"],
  ["cram-md5", "CRAM-MD5"],
  ["plain", "PLAIN"],
  ["login", "LOGIN"],
]);

function mechanismsOf(named: readonly string[]): readonly Mechanism[] {
  return [...words].flatMap(([word, mechanism]) => named.includes(word) ? [mechanism] : []);
}

/** Without control/smtpauth: all that needs no password on the server's disk, and locks no client out. */
export const defaultMechanisms = mechanismsOf(["plain", "login", "scram-sha-256"]);

/** control/smtpauth: words parted by blanks or lines, or `off` alone. */
export function parseSmtpauth(text: string): Result<readonly Mechanism[], string> {
  const named = text.split("\n").filter((line) => !line.startsWith("#")).flatMap((line) => line.split(/[ \t\r]+/))
    .filter((word) => word !== "");
  if (named.length === 1 && named[0] === "off") return ok([]);
  const wrong = named.find((word) => !words.has(word));
  if (named.length > 0 && wrong === undefined) return ok(mechanismsOf(named));
  return err(`expected ${[...words.keys()].join(", ")}, or off, got ${JSON.stringify(wrong ?? text)}`);
}

/**
 * What of them can be done: a checkpassword program is given a password, or a digest, and says yes or no; nothing that it
 * has could answer SCRAM.
 */
export function offeredMechanisms(
  mechanisms: readonly Mechanism[],
  hasCheckpassword: boolean,
): readonly Mechanism[] {
  return hasCheckpassword ? mechanisms.filter((mechanism) => !mechanism.startsWith("SCRAM-")) : mechanisms;
}
