/**
 * SRS, the Sender Rewriting Scheme: the envelope sender of a message that is sent on, in a domain of ours, so that the next
 * host's SPF check (RFC 7208) finds us allowed, and a bounce finds its way back through us.
 *
 * `SRS0=HASH=DAY=host=user@ours` stands for `user@host`. What another forwarder has made, `SRS0=rest@host`, becomes
 * `SRS1=HASH=host==rest@ours`, and is handed back to that forwarder alone, however many hosts were on the way. The hash is
 * base64 of HMAC-SHA1, cut, over the parts in lower case; it is compared without regard to case, as some hosts change a
 * local part's. All addresses are octet strings as the queue keeps them, unquoted.
 * @module
 */
import { lowerCaseAscii } from "../address/parse_domain.ts";
import { toOctets } from "../octets.ts";
import { nodeCrypto } from "../process/builtin.ts";
import { err, ok, type Result } from "../result.ts";
import { formatStamp, stampAgeDays } from "./stamp.ts";

export interface SrsRules {
  /** Where the addresses are that are made here, lower-cased. */
  readonly domain: string;
  /** Octet strings; the first makes hashes, all of them are good to check one. At least one. */
  readonly secrets: readonly string[];
  /** Characters of a hash. */
  readonly hashLength: number;
  /** So long a bounce may take. */
  readonly ageDays: number;
}

/** `not-srs`: an address as any other. `forged`: its hash is none of ours, or there is none. `expired`: it was, once. */
export type NoReturn = "not-srs" | "forged" | "expired";

/** Octets of a local part that our own servers take: what is longer could not come back. */
const longestLocalPart = 255;

const tagged = /^SRS([01])([=+-])(.*)$/is;

function split(address: string): { readonly local: string; readonly host: string } | undefined {
  const at = address.lastIndexOf("@");
  return at < 1 || at === address.length - 1
    ? undefined
    : { local: address.slice(0, at), host: lowerCaseAscii(address.slice(at + 1)) };
}

/** Whether an address is for SRS to say something about: one at `domain` that looks like its own. "": SRS is off. */
export function isReturnPath(address: string, domain: string): boolean {
  const parts = domain === "" ? undefined : split(address);
  return parts !== undefined && parts.host === domain && tagged.test(parts.local);
}

function hashOf(secret: string, length: number, parts: readonly string[]): string {
  const hmac = nodeCrypto().createHmac("sha1", toOctets(secret));
  for (const part of parts) hmac.update(toOctets(lowerCaseAscii(part)));
  return hmac.digest("base64").slice(0, length);
}

function isHash(hash: string, { secrets, hashLength }: SrsRules, parts: readonly string[]): boolean {
  if (hash.length !== hashLength) return false;
  const given = toOctets(lowerCaseAscii(hash));
  const { timingSafeEqual } = nodeCrypto();
  return secrets.some((secret) => timingSafeEqual(given, toOctets(lowerCaseAscii(hashOf(secret, hashLength, parts)))));
}

/** `SRS1`'s inner part: who made the `SRS0`, and its local part from the separator on. */
function innerOf(local: string): { readonly host: string; readonly rest: string } | undefined {
  const [, kind, , body = ""] = tagged.exec(local) ?? [];
  const [, host, rest] = kind === "1" ? /^[^=]*=([^=]+)=([=+-].*)$/s.exec(body) ?? [] : [];
  return host === undefined || rest === undefined ? undefined : { host, rest };
}

/**
 * The sender under which a message from `sender` is sent on. Unchanged where it is null, has no host, or would become
 * longer than a server takes.
 *
 * @example
 * ```ts
 * import { returnPathFor } from "./srs.ts";
 * const rules = { domain: "example.com", secrets: ["known to none"], hashLength: 4, ageDays: 21 };
 * returnPathFor("amy@example.org", rules, 1_577_836_860); // "SRS0=wFY8=2W=example.org=amy@example.com" or so
 * ```
 */
export function returnPathFor(sender: string, rules: SrsRules, nowSeconds: number): string {
  const parts = split(sender);
  if (parts === undefined || parts.host === "[]") return sender;
  const { domain, secrets, hashLength } = rules;
  const hash = (...hashed: readonly string[]) => hashOf(secrets[0]!, hashLength, hashed);
  const [, kind, separator, body] = tagged.exec(parts.local) ?? [];
  const inner = kind === "0" ? { host: parts.host, rest: `${separator}${body}` } : innerOf(parts.local);
  const stamp = formatStamp(nowSeconds);
  const local = inner === undefined
    ? `SRS0=${hash(stamp, parts.host, parts.local)}=${stamp}=${parts.host}=${parts.local}`
    : `SRS1=${hash(inner.host, inner.rest)}=${inner.host}=${inner.rest}`;
  return local.length > longestLocalPart ? sender : `${local}@${domain}`;
}

/** For {@link originalOf}: how old an address is was looked at when its mail was taken. */
export const anyAge = "any age";

/**
 * Whom mail to an address that was made here is for. The local part comes back in the case it has arrived in.
 *
 * An SRS1 has no day: the forwarder that made its SRS0 looks at that one's.
 */
export function originalOf(
  address: string,
  rules: SrsRules,
  nowSeconds: number | typeof anyAge,
): Result<string, NoReturn> {
  if (!isReturnPath(address, rules.domain)) return err("not-srs");
  const local = address.slice(0, address.lastIndexOf("@"));
  const [, kind, , body = ""] = tagged.exec(local)!;
  if (kind === "1") {
    const inner = innerOf(local);
    const isOurs = inner !== undefined && isHash(body.split("=", 1)[0]!, rules, [inner.host, inner.rest]);
    return isOurs ? ok(`SRS0${inner.rest}@${inner.host}`) : err("forged");
  }
  const [, hash, stamp, host, user] = /^([^=]*)=([^=]*)=([^=]+)=(.+)$/s.exec(body) ?? [];
  if (hash === undefined || !isHash(hash, rules, [stamp!, host!, user!])) return err("forged");
  if (nowSeconds !== anyAge) {
    const age = stampAgeDays(stamp!, nowSeconds);
    if (age === undefined || age > rules.ageDays) return err("expired");
  }
  return ok(`${user}@${host}`);
}
