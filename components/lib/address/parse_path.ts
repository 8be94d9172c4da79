/**
 * Reverse-paths and forward-paths of MAIL and RCPT (RFC 5321 §4.1.2), and addresses read back from the queue. Input is
 * octet strings straight from the network; the work is linear in their length and no input makes a parser throw.
 *
 * Unlike qmail: the angle brackets are required, an address needs its domain (`<postmaster>` apart), and what the
 * grammar excludes is refused at the door, where qmail takes nearly every octet and leaves it to delivery.
 * @module
 */
import { err, ok, type Result } from "../result.ts";
import { type ForwardPath, isAtomOctet, type LocalPart, type Mailbox, type ReversePath } from "./mailbox.ts";
import { decodeUtf8, type DomainError, lowerCaseAscii, parseDomain, type Utf8Option } from "./parse_domain.ts";

/** Why a path was refused. */
export type PathError = "syntax" | DomainError;

/** Options of the path parsers. */
export type PathOptions = Utf8Option;

/** A path, and the octets behind it: ESMTP parameters without the blanks around them. */
export interface ParsedPath<P> {
  readonly path: P;
  readonly parameters: string;
}

const MAX_PATH = 899; // octets between the brackets, as in qmail; RFC 5321 §4.5.3.1.3 asks for 256 at least
const MAX_LOCAL_PART = 255; // octets; RFC 5321 §4.5.3.1.1 says 64, but VERP senders are longer

/**
 * Parses what follows `MAIL FROM:`. Takes `<>`, quoted local parts, address literals and a source route, which it drops
 * (RFC 5321 §3.3, appendix C).
 *
 * @example
 * ```ts
 * import { parseReversePath } from "./parse_path.ts";
 * parseReversePath("<> SIZE=10"); // { ok: true, value: { path: { kind: "null" }, parameters: "SIZE=10" } }
 * parseReversePath("<noat>"); // { ok: false, error: "syntax" }
 * ```
 */
export function parseReversePath(
  octets: string,
  options: PathOptions = {},
): Result<ParsedPath<ReversePath>, PathError> {
  const split = splitPath(octets);
  if (!split.ok) return split;
  const { inside, parameters } = split.value;
  if (inside === "") return ok({ path: { kind: "null" }, parameters });
  const mailbox = parseRoutedMailbox(inside, options);
  return mailbox.ok ? ok({ path: { kind: "mailbox", mailbox: mailbox.value }, parameters }) : mailbox;
}

/**
 * Parses what follows `RCPT TO:`. Like a reverse-path, except that `<>` is refused and `<postmaster>`, in any case, may
 * stand without a domain (RFC 5321 §4.1.1.3).
 *
 * @example
 * ```ts
 * import { parseForwardPath } from "./parse_path.ts";
 * const parsed = parseForwardPath("<@a,@b:joe@C>");
 * // path: { kind: "mailbox", mailbox: { localPart: "joe", domain: "c" } }
 * ```
 */
export function parseForwardPath(
  octets: string,
  options: PathOptions = {},
): Result<ParsedPath<ForwardPath>, PathError> {
  const split = splitPath(octets);
  if (!split.ok) return split;
  const { inside, parameters } = split.value;
  if (lowerCaseAscii(inside) === "postmaster") return ok({ path: { kind: "postmaster" }, parameters });
  const mailbox = parseRoutedMailbox(inside, options);
  return mailbox.ok ? ok({ path: { kind: "mailbox", mailbox: mailbox.value }, parameters }) : mailbox;
}

/**
 * Parses the unquoted form kept in queue files, `local@domain`, split at the last "@"; inverse of `formatMailbox()`.
 * Undefined for anything that no path parser could have put there: no "@", a control octet, a bad domain, qmail's
 * `#@[]`. Octets from 0x80 up are fine, as SMTPUTF8 was settled when the message came in.
 *
 * @example
 * ```ts
 * import { parseEnvelopeAddress } from "./parse_path.ts";
 * parseEnvelopeAddress("x@y@example.org"); // { localPart: "x@y", domain: "example.org" }
 * parseEnvelopeAddress("noat"); // undefined
 * ```
 */
export function parseEnvelopeAddress(octets: string): Mailbox | undefined {
  const at = octets.lastIndexOf("@");
  if (at < 0) return undefined;
  const localPart = checkLocalPart(octets.slice(0, at), { smtputf8: true });
  const domain = parseDomain(octets.slice(at + 1), { smtputf8: true });
  return localPart.ok && domain.ok ? { localPart: localPart.value, domain: domain.value } : undefined;
}

/** Finds the brackets: `inside` is what stands between "<" and the first ">" outside quotes. */
function splitPath(octets: string): Result<{ inside: string; parameters: string }, PathError> {
  const start = skipBlanks(octets, 0);
  if (octets[start] !== "<") return err("syntax");
  let quoted = false;
  for (let at = start + 1; at < octets.length; at++) {
    if (at - start - 1 > MAX_PATH) return err("too long");
    const octet = octets.charCodeAt(at);
    if (isControl(octet)) return err("control octet");
    if (octet === 0x22) quoted = !quoted;
    else if (octet === 0x5c && quoted) at++; // a control octet behind the backslash is met by checkLocalPart()
    else if (octet === 0x3e && !quoted) {
      const next = octets.charCodeAt(at + 1);
      if (at + 1 < octets.length && !isBlank(next)) return err("syntax");
      return ok({ inside: octets.slice(start + 1, at), parameters: trimBlanks(octets, at + 1) });
    }
  }
  return err("syntax");
}

/** `[source route ":"] local-part "@" domain`, all of the text. */
function parseRoutedMailbox(inside: string, options: PathOptions): Result<Mailbox, PathError> {
  if (!inside.startsWith("@")) return parseMailbox(inside, options);
  const colon = inside.indexOf(":");
  if (colon < 0) return err("syntax");
  for (const hop of inside.slice(0, colon).split(",")) {
    if (!hop.startsWith("@")) return err("syntax");
    const domain = parseDomain(hop.slice(1), options);
    if (!domain.ok) return domain;
  }
  return parseMailbox(inside.slice(colon + 1), options);
}

function parseMailbox(text: string, options: PathOptions): Result<Mailbox, PathError> {
  const local = text.startsWith('"') ? takeQuotedString(text) : takeDotString(text);
  if (local === undefined || text[local.end] !== "@") return err("syntax");
  const localPart = checkLocalPart(local.value, options);
  if (!localPart.ok) return localPart;
  const domain = parseDomain(text.slice(local.end + 1), options);
  return domain.ok ? ok({ localPart: localPart.value, domain: domain.value }) : domain;
}

/** A local part in the making, and the index behind it. */
interface Taken {
  readonly value: string;
  readonly end: number;
}

function takeQuotedString(text: string): Taken | undefined {
  let value = "";
  let from = 1; // start of the run not yet copied
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '"') return { value: value + text.slice(from, at), end: at + 1 };
    if (text[at] !== "\\") continue;
    value += text.slice(from, at);
    from = ++at;
    if (text.charCodeAt(at) >= 0x80) return undefined; // quoted pairs are ASCII, with SMTPUTF8 too (RFC 6531 §3.3)
  }
  return undefined;
}

function takeDotString(text: string): Taken | undefined {
  let end = 0;
  for (; end < text.length && text[end] !== "@"; end++) {
    if (text[end] === "." ? end === 0 || text[end - 1] === "." : !isAtomOctet(text.charCodeAt(end))) return undefined;
  }
  return end === 0 || text[end - 1] === "." ? undefined : { value: text.slice(0, end), end };
}

/** What holds for every local part, however it was written. */
function checkLocalPart(value: string, options: PathOptions): Result<LocalPart, PathError> {
  if (value.length > MAX_LOCAL_PART) return err("too long");
  let isAscii = true;
  for (let at = 0; at < value.length; at++) {
    const octet = value.charCodeAt(at);
    if (isControl(octet)) return err("control octet");
    if (octet >= 0x80) isAscii = false;
  }
  if (isAscii) return ok(value as LocalPart);
  if (options.smtputf8 !== true) return err("utf8 without SMTPUTF8");
  const text = decodeUtf8(value);
  if (text === undefined) return err("malformed utf8");
  // C1 controls and the two separators end a line, or steer a terminal, in some program that decodes them.
  return /[\u0080-\u009f\u2028\u2029]/.test(text) ? err("control octet") : ok(value as LocalPart);
}

function isControl(octet: number): boolean {
  return octet < 0x20 || octet === 0x7f;
}

function isBlank(octet: number): boolean {
  return octet === 0x20 || octet === 0x09;
}

function skipBlanks(octets: string, from: number): number {
  let at = from;
  while (at < octets.length && isBlank(octets.charCodeAt(at))) at++;
  return at;
}

function trimBlanks(octets: string, from: number): string {
  const start = skipBlanks(octets, from);
  let end = octets.length;
  while (end > start && isBlank(octets.charCodeAt(end - 1))) end--;
  return octets.slice(start, end);
}
