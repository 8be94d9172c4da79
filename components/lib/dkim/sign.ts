/**
 * The DKIM-Signature field (RFC 6376 §3.5, RFC 8463), and what signatures of all kinds have in common: the fields that are
 * covered, the octets that are signed, and how a key signs them.
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { toOctets } from "../octets.ts";
import { type HeaderField, relaxedField } from "./canonical.ts";
import type { Algorithm } from "./choose.ts";

/** One that may sign. `sign`: the signature of these octets, by the algorithm's rules. */
export interface SigningKey {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: Algorithm;
  readonly key: CryptoKey;
}

/**
 * Covered once more often than they are there (RFC 6376 §8.15): whoever sends the message again can add none of them, and
 * so show another author, subject or text under our signature.
 */
const oversigned = [
  ...["from", "sender", "reply-to", "subject", "to", "cc", "content-type", "content-transfer-encoding"],
];
/** The same, where they are there: a host on the way may well add one that is missing. */
const oversignedIfThere = ["date", "message-id", "mime-version", "in-reply-to", "references"];
/** Covered as often as they are there. RFC 8058 §4 asks for the two of List-Unsubscribe. */
const coveredIfThere = [
  ...["list-id", "list-help", "list-unsubscribe", "list-unsubscribe-post", "list-subscribe", "list-post"],
  ...["list-owner", "list-archive", "feedback-id", "resent-from", "resent-to", "resent-cc", "resent-date"],
  ...["resent-message-id", "resent-sender", "autocrypt", "content-id", "content-description", "content-disposition"],
];

/** Octets of an `h` tag's line, before it is folded. */
const lineLength = 72;

/** Names for the tag `h`, each as often as it is covered. */
export function coveredNames(fields: readonly HeaderField[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { name } of fields) counts.set(name, (counts.get(name) ?? 0) + 1);
  const names = (list: readonly string[], more: number, evenIfAbsent: boolean) =>
    list.flatMap((name) => {
      const count = counts.get(name) ?? 0;
      return count === 0 && !evenIfAbsent ? [] : Array.from({ length: count + more }, () => name);
    });
  return [...names(oversigned, 1, true), ...names(oversignedIfThere, 1, false), ...names(coveredIfThere, 0, false)];
}

/** The covered fields in relaxed form, each with CR LF: of several of a name the last first; one too many is nothing. */
export function coveredText(fields: readonly HeaderField[], names: readonly string[]): string {
  const left = new Map<string, HeaderField[]>();
  for (const field of fields) {
    const list = left.get(field.name);
    if (list === undefined) left.set(field.name, [field]);
    else list.push(field);
  }
  return names.map((name) => {
    const field = left.get(name)?.pop();
    return field === undefined ? "" : `${relaxedField(field)}\r\n`;
  }).join("");
}

/** Base64 of a signature of the octet string `text`: by RSA of its SHA-256, by Ed25519 of that hash (RFC 8463 §3). */
export async function signText(text: string, { algorithm, key }: SigningKey): Promise<string> {
  // WebCrypto computes in a thread of its own, so that several messages are signed at once.
  const signed = algorithm === "rsa-sha256"
    ? await crypto.subtle.sign("RSASSA-PKCS1-v1_5", key, toOctets(text) as Uint8Array<ArrayBuffer>)
    : await crypto.subtle.sign("Ed25519", key, new Uint8Array(createHash("sha256").update(toOctets(text)).digest()));
  return Buffer.from(signed).toString("base64");
}

/** Tags folded to lines, at blanks and behind colons; without a line end at the end. */
export function foldTags(name: string, tags: readonly string[]): string {
  const words = tags.map((tag, at) => at === tags.length - 1 ? tag : `${tag};`).flatMap((tag) => tag.split(/ |(?<=:)/));
  const lines: string[] = [];
  let line = `${name}:`;
  for (const [at, word] of words.entries()) {
    const glue = at > 0 && words[at - 1]!.endsWith(":") ? "" : " ";
    if (line.length + 1 + word.length > lineLength) {
      lines.push(line);
      line = `\t${word}`;
    } else line += glue + word;
  }
  return [...lines, line].join("\n");
}

export interface Signing {
  readonly fields: readonly HeaderField[];
  /** {@link relaxedBodyHash} of the body: one for all signatures. */
  readonly bodyHash: string;
  readonly nowSeconds: number;
}

/** A field with its signature, LF lines, with a line end. `covers` is what precedes the field itself. */
export async function signedField(field: string, covers: string, key: SigningKey): Promise<string> {
  const own = { name: field.slice(0, field.indexOf(":")).toLowerCase(), text: field };
  const signature = await signText(covers + relaxedField(own), key);
  // Blanks within `b` count for nothing (RFC 6376 §3.5).
  return `${field}${signature.replace(/.{1,72}/g, "\n\t$&")}\n`;
}

/**
 * A DKIM-Signature for the message, whole, LF lines.
 *
 * Without `i`, `l` and `x`: the signature is the domain's, of the whole body, and ends with its key's record.
 */
export async function dkimSignature({ fields, bodyHash, nowSeconds }: Signing, key: SigningKey): Promise<string> {
  const names = coveredNames(fields);
  const tags = ["v=1", `a=${key.algorithm}`, "c=relaxed/relaxed", `d=${key.domain}`, `s=${key.selector}`];
  const field = foldTags("DKIM-Signature", [
    ...tags,
    `t=${nowSeconds}`,
    `h=${names.join(":")}`,
    `bh=${bodyHash}`,
    "b=",
  ]);
  return await signedField(field, coveredText(fields, names), key);
}
