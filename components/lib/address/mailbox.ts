/**
 * Mailboxes and envelope paths (RFC 5321 §4.1.2) as parsed values, and their written forms. All text here is octet
 * strings: each char code is one octet (0..255), so any address survives the way through byte for byte; UTF-8 of
 * SMTPUTF8 mail (RFC 6531) stays encoded. Only `parse_path.ts` and `parse_domain.ts` mint the two brands.
 *
 * An address has two written forms. On disk and in the environment of programs qmail keeps it unquoted
 * (`formatMailbox`); SMTP commands and header fields need the local part quoted (`formatPath`).
 * @module
 */

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/**
 * Decoded local part, quoting already removed (RFC 5321 §4.1.2): up to 255 octets, may be empty, may hold spaces, quotes
 * or "@"; never a control octet. Its case is kept, for its meaning is the receiving host's business (§2.4).
 */
export type LocalPart = Brand<string, "LocalPart">;

/** Lower-case labels without trailing dot, or an address literal: `[192.0.2.1]`, `[IPv6:2001:db8::1]`. */
export type Domain = Brand<string, "Domain">;

/** A parsed address. */
export interface Mailbox {
  readonly localPart: LocalPart;
  readonly domain: Domain;
}

/** The envelope sender; `<>`, the null reverse-path, is that of bounces. */
export type ReversePath =
  | { readonly kind: "null" }
  | { readonly kind: "mailbox"; readonly mailbox: Mailbox };

/** One RCPT as sent; `<postmaster>` without domain must be understood by every server (RFC 5321 §4.1.1.3, §4.5.1). */
export type ForwardPath =
  | { readonly kind: "postmaster" }
  | { readonly kind: "mailbox"; readonly mailbox: Mailbox };

/**
 * Writes the unquoted form that qmail keeps in its queue: `local@domain`. The last "@" is the separator, as a domain
 * never holds one; `parseEnvelopeAddress()` is the inverse.
 *
 * @example
 * ```ts
 * import { formatMailbox } from "./mailbox.ts";
 * import { parseEnvelopeAddress } from "./parse_path.ts";
 * const mailbox = parseEnvelopeAddress("a b@example.org");
 * if (mailbox !== undefined) formatMailbox(mailbox); // "a b@example.org"
 * ```
 */
export function formatMailbox(m: Mailbox): string {
  return `${m.localPart}@${m.domain}`;
}

/**
 * Writes a local part for SMTP commands and header fields: a dot-atom unchanged, anything else as a quoted string with
 * a backslash before `"` and `\` (RFC 5321 §4.1.2, RFC 5322 §3.2.4). Octets from 0x80 up count as atom text (RFC 6531
 * §3.3). Throws nothing.
 *
 * @example
 * ```ts
 * import { parseEnvelopeAddress } from "./parse_path.ts";
 * import { quoteLocalPart } from "./mailbox.ts";
 * const mailbox = parseEnvelopeAddress("a b@example.org");
 * if (mailbox !== undefined) quoteLocalPart(mailbox.localPart); // '"a b"'
 * ```
 */
export function quoteLocalPart(local: LocalPart): string {
  if (isDotAtom(local)) return local;
  return `"${local.replace(/["\\]/g, "\\$&")}"`;
}

/** Writes `local@domain` for SMTP commands and header fields, quoted where needed and without angle brackets. */
export function formatPath(m: Mailbox): string {
  return `${quoteLocalPart(m.localPart)}@${m.domain}`;
}

/** Whether one octet may stand in an unquoted local part: atext of RFC 5322 §3.2.3, or 0x80 and up (RFC 6531 §3.3). */
export function isAtomOctet(octet: number): boolean {
  return octet >= 0x80 || ATOM_OCTETS[octet] === 1;
}

const ATOM_OCTETS = new Uint8Array(128);
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~") {
  ATOM_OCTETS[char.charCodeAt(0)] = 1;
}

const DOT = 0x2e;

function isDotAtom(local: string): boolean {
  let previous = DOT; // as if after a dot: an empty string, a dot in front and two in a row all fail
  for (let at = 0; at < local.length; at++) {
    const octet = local.charCodeAt(at);
    if (octet === DOT ? previous === DOT : !isAtomOctet(octet)) return false;
    previous = octet;
  }
  return previous !== DOT;
}
