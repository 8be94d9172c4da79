/**
 * Domains and address literals of mail addresses (RFC 5321 §4.1.2, §4.1.3), from octet strings. What passes is one
 * spelling per name: ASCII in lower case, no trailing dot, no escapes, so that comparing two domains is comparing two
 * strings. Nothing is looked up.
 * @module
 */
import { err, ok, type Result } from "../result.ts";
import type { Domain } from "./mailbox.ts";

/** Why a domain was refused. */
export type DomainError =
  | "bad domain"
  | "bad address literal"
  | "too long"
  | "control octet"
  | "utf8 without SMTPUTF8"
  | "malformed utf8";

/** `smtputf8`: accept octets from 0x80 up, as the peer has announced SMTPUTF8 (RFC 6531). Default false. */
export interface Utf8Option {
  readonly smtputf8?: boolean;
}

const MAX_DOMAIN = 255; // octets, RFC 5321 §4.5.3.1.2
const MAX_LABEL = 63; // octets, RFC 1035 §2.3.4

/**
 * Parses a domain name or, in brackets, an address literal. Labels are letters, digits and inner hyphens; an inner
 * underscore is let through, for hosts named so do send mail. A single label (`localhost`) is a domain.
 *
 * @example
 * ```ts
 * import { parseDomain } from "./parse_domain.ts";
 * parseDomain("Example.ORG"); // { ok: true, value: "example.org" }
 * parseDomain("[192.0.2.256]"); // { ok: false, error: "bad address literal" }
 * ```
 */
export function parseDomain(octets: string, options: Utf8Option = {}): Result<Domain, DomainError> {
  if (octets.length > MAX_DOMAIN) return err("too long");
  if (octets.startsWith("[")) return parseAddressLiteral(octets);
  let isAscii = true;
  for (let at = 0; at < octets.length; at++) {
    const octet = octets.charCodeAt(at);
    if (octet < 0x20 || octet === 0x7f) return err("control octet");
    if (octet >= 0x80) isAscii = false;
  }
  if (!isAscii) {
    if (options.smtputf8 !== true) return err("utf8 without SMTPUTF8");
    const text = decodeUtf8(octets);
    if (text === undefined) return err("malformed utf8");
    if (!isStableUnicodeName(text)) return err("bad domain");
  }
  let begin = 0;
  do {
    const dot = octets.indexOf(".", begin);
    const end = dot < 0 ? octets.length : dot;
    const fault = labelFault(octets, begin, end);
    if (fault !== undefined) return err(fault);
    begin = end + 1;
  } while (begin <= octets.length);
  return ok(lowerCaseAscii(octets) as Domain);
}

/**
 * Decodes UTF-8 held in an octet string; undefined where it is malformed. For judging only: what travels on is always
 * the octets.
 */
export function decodeUtf8(octets: string): string | undefined {
  const bytes = new Uint8Array(octets.length);
  for (let at = 0; at < octets.length; at++) bytes[at] = octets.charCodeAt(at);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined; // the decoder's only way to say "malformed"
  }
}

const capital = /[A-Z]/;
const capitals = /[A-Z]+/g;

/** Lower case for A-Z alone: `toLowerCase()` would also change octets from 0xC0 up, which here are pieces of UTF-8. */
export function lowerCaseAscii(octets: string): string {
  return capital.test(octets) ? octets.replace(capitals, (letters) => letters.toLowerCase()) : octets;
}

/** What stands behind the last "@" of an address, all of it where there is none; lower-cased, and not judged. */
export function domainOf(address: string): string {
  return lowerCaseAscii(address.slice(address.lastIndexOf("@") + 1));
}

/** What is wrong with the label that stands there. */
function labelFault(name: string, begin: number, end: number): DomainError | undefined {
  if (begin === end) return "bad domain"; // two dots, a dot in front, or the trailing dot that SMTP has no place for
  let isAscii = true;
  for (let at = begin; at < end; at++) {
    const octet = name.charCodeAt(at);
    const isEdge = at === begin || at === end - 1;
    if (octet >= 0x80) isAscii = false;
    else if (octet === 0x2d || octet === 0x5f ? isEdge : !isLetterOrDigit(octet)) return "bad domain";
  }
  // The limit of 63 is one on A-labels; a U-label in UTF-8 may be longer (RFC 5890 §4.2).
  return isAscii && end - begin > MAX_LABEL ? "too long" : undefined;
}

function isLetterOrDigit(octet: number): boolean {
  const lower = octet | 0x20;
  return (octet >= 0x30 && octet <= 0x39) || (lower >= 0x61 && lower <= 0x7a);
}

/**
 * Whether a name with U-labels is made of what RFC 5892 calls LetterDigits, plus its visible exceptions, and is stable
 * under normalisation. So no fullwidth "@", ideographic full stop or other spelling is let in that a program behind us might
 * fold into ASCII and then read as another address.
 */
function isStableUnicodeName(name: string): boolean {
  if (name.normalize("NFKC") !== name) return false;
  for (const char of name) {
    if (char > "\x7f" && !/^[\p{Ll}\p{Lo}\p{Lm}\p{Mn}\p{Mc}\p{Nd}\u00b7\u0375\u05f3\u05f4\u30fb]$/u.test(char)) {
      return false;
    }
  }
  return true;
}

/** `[1.2.3.4]` or `[IPv6:...]`; no other tag is registered (RFC 5321 §4.1.3). */
function parseAddressLiteral(octets: string): Result<Domain, DomainError> {
  const inside = octets.endsWith("]") ? octets.slice(1, -1) : "";
  if (isIpv4(inside)) return ok(octets as Domain);
  const lower = lowerCaseAscii(inside);
  if (lower.startsWith("ipv6:") && isIpv6(lower.slice(5))) return ok(`[IPv6:${lower.slice(5)}]` as Domain);
  return err("bad address literal");
}

/** Four decimal numbers up to 255. No leading zeros, unlike RFC 5321's Snum: some programs read them as octal. */
function isIpv4(text: string): boolean {
  const numbers = text.split(".");
  return numbers.length === 4 &&
    numbers.every((n) => /^[0-9]{1,3}$/.test(n) && Number(n) <= 255 && (n.length === 1 || n[0] !== "0"));
}

/** The four forms of RFC 5321 §4.1.3; "::" may stand for a single group too, as in RFC 4291 §2.2. */
function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  let groups = 0;
  for (const [index, half] of halves.entries()) {
    if (half === "" && halves.length === 2) continue;
    const parts = half.split(":");
    const last = parts.at(-1) ?? "";
    if (last.includes(".")) {
      if (index !== halves.length - 1 || !isIpv4(last)) return false;
      parts.pop();
      groups += 2;
    }
    if (!parts.every((part) => /^[0-9a-f]{1,4}$/.test(part))) return false;
    groups += parts.length;
  }
  return halves.length === 2 ? groups <= 7 : groups === 8;
}
