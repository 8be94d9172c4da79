/**
 * Signs messages for tests, from RFC 6376, 8463 and 8617 and apart from the code under test; any tag can be spoilt. Messages are octet strings with LF line ends.
 */
import { createHash, generateKeyPairSync, type KeyObject, sign as signOctets } from "node:crypto";
import { toOctets } from "../../../components/lib/octets.ts";

export interface SigningKey {
  readonly algorithm: "rsa-sha256" | "ed25519-sha256";
  readonly privateKey: KeyObject;
  /** For the DNS. */
  readonly record: string;
}

export function rsaKey(bits = 2048): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  const der = publicKey.export({ type: "spki", format: "der" });
  return { algorithm: "rsa-sha256", privateKey, record: `v=DKIM1; k=rsa; p=${der.toString("base64")}` };
}

export function ed25519Key(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const der = publicKey.export({ type: "spki", format: "der" });
  const record = `v=DKIM1; k=ed25519; p=${der.subarray(-32).toString("base64")}`;
  return { algorithm: "ed25519-sha256", privateKey, record };
}

export type Canonicalization = "simple" | "relaxed";

export interface SignOptions {
  readonly domain?: string;
  readonly selector?: string;
  /** Of header and body; default "relaxed". */
  readonly canonicalization?: Canonicalization;
  /** Names in `h=`. */
  readonly fields?: readonly string[];
  /** Further tags, or others; `undefined` leaves one out. */
  readonly tags?: Readonly<Record<string, string | undefined>>;
}

const usualFields = ["from", "to", "subject", "date"];

/** The message with a signature in front. */
export function sign(message: string, key: SigningKey, options: SignOptions = {}): string {
  return signatureField("DKIM-Signature", { v: "1" }, message, key, options) + message;
}

function signatureField(
  name: string,
  first: Readonly<Record<string, string>>,
  message: string,
  key: SigningKey,
  { domain = "example.org", selector = "s", canonicalization: way = "relaxed", fields = usualFields, tags = {} }:
    SignOptions,
): string {
  const { header, body } = split(message);
  const limit = Number(tags["l"] ?? Infinity);
  const all = {
    ...first,
    a: key.algorithm,
    c: `${way}/${way}`,
    d: domain,
    s: selector,
    h: fields.join(":"),
    bh: createHash("sha256").update(bodyIn[way](body).subarray(0, limit)).digest("base64"),
    ...tags,
  };
  const left = [...header];
  const signed = fields.flatMap((field) => {
    const at = left.findLastIndex((one) => nameOf(one) === field.toLowerCase());
    return at < 0 ? [] : left.splice(at, 1);
  });
  return finish(name, all, signed, key, way);
}

/** The message with one more set of ARC in front. */
export function sealArc(message: string, key: SigningKey, instance: number, options: SignOptions = {}): string {
  const { domain = "example.org", selector = "s" } = options;
  const results = `ARC-Authentication-Results: i=${instance}; ${domain}; spf=pass smtp.mailfrom=example.com\n`;
  const ams = signatureField("ARC-Message-Signature", { i: String(instance) }, message, key, options);
  const { header } = split(message);
  const earlier = Array.from(
    { length: instance - 1 },
    (_, index) =>
      ["arc-authentication-results", "arc-message-signature", "arc-seal"].map((name) =>
        header.find((field) => nameOf(field) === name && field.includes(`i=${index + 1};`)) ?? ""
      ),
  ).flat();
  const tags = { i: String(instance), a: key.algorithm, cv: instance === 1 ? "none" : "pass", d: domain, s: selector };
  const seal = finish("ARC-Seal", tags, [...earlier, results, ams].map((field) => field.replace(/\n$/, "")), key);
  return seal + ams + results + message;
}

function finish(
  name: string,
  tags: Readonly<Record<string, string | undefined>>,
  signed: readonly string[],
  key: SigningKey,
  way: Canonicalization = "relaxed",
): string {
  const words = Object.entries(tags).flatMap(([tag, value]) => value === undefined ? [] : [`${tag}=${value}`]);
  const open = `${name}: ${words.join("; ")}; b=`;
  const octets = toOctets([...signed, open].map(fieldIn[way]).join("\r\n"));
  const isRsa = key.algorithm === "rsa-sha256";
  const b = isRsa
    ? signOctets("sha256", octets, key.privateKey)
    : signOctets(null, createHash("sha256").update(octets).digest(), key.privateKey);
  return `${open}${b.toString("base64")}\n`;
}

function split(message: string): { readonly header: readonly string[]; readonly body: string } {
  const end = message.indexOf("\n\n");
  return {
    header: message.slice(0, end).split(/\n(?![ \t])/),
    body: message.slice(end + 2),
  };
}

function nameOf(field: string): string {
  return field.slice(0, field.indexOf(":")).trim().toLowerCase();
}

/** RFC 6376 §3.4.1. */
function simpleField(field: string): string {
  return field.replaceAll("\n", "\r\n");
}

/** RFC 6376 §3.4.3. */
function simpleBody(body: string): Uint8Array {
  return toOctets(`${body.replace(/\n+$/, "").replaceAll("\n", "\r\n")}\r\n`);
}

/** RFC 6376 §3.4.2. */
function relaxedField(field: string): string {
  const value = field.slice(field.indexOf(":") + 1).replaceAll("\n", "").replace(/[ \t]+/g, " ").trim();
  return `${nameOf(field)}:${value}`;
}

/** RFC 6376 §3.4.4. */
function relaxedBody(body: string): Uint8Array {
  const lines = body.split("\n").map((line) => line.replace(/[ \t]+/g, " ").replace(/ $/, ""));
  while (lines.at(-1) === "") lines.pop();
  return toOctets(lines.map((line) => `${line}\r\n`).join(""));
}

const fieldIn = { simple: simpleField, relaxed: relaxedField };
const bodyIn = { simple: simpleBody, relaxed: relaxedBody };
