/**
 * SMTP command lines as values (RFC 5321 §4.1): one line without its line end goes in, one `Command` comes out, and the
 * session never looks at octets again. Linear in the length of the line; no input throws. What is no verb here (EXPN, TURN,
 * ETRN) is `UNKNOWN`; whether a verb is on offer is the session's business.
 * @module
 */
import type { ForwardPath, ReversePath } from "../address/mailbox.ts";
import { parseForwardPath, parseReversePath, type PathError } from "../address/parse_path.ts";
import { err, ok, type Result } from "../result.ts";

/** One ESMTP parameter of MAIL or RCPT. `keyword` is in upper case; `value` is undefined for `KEYWORD` without "=". */
export interface Parameter {
  readonly keyword: string;
  readonly value: string | undefined;
}

/** The verbs that are understood. */
export type Verb =
  | ("HELO" | "EHLO" | "LHLO" | "MAIL" | "RCPT" | "DATA" | "BDAT" | "RSET" | "NOOP" | "QUIT" | "VRFY" | "HELP")
  | ("STARTTLS" | "AUTH" | "XCLIENT");

/** Why a known verb's argument was refused; RFC 5321 §4.2.4 has 501 for all of these. */
export type BadReason = PathError | "unexpected argument" | "bad argument" | "bad parameter" | "duplicate parameter";

/**
 * A parsed command line. `domain` of HELO, EHLO and LHLO is the client's claim as sent: printable ASCII, up to 255 octets,
 * perhaps empty, since qmail asks for no argument. `argument` of VRFY is printable ASCII. `sizeBytes` of BDAT is a safe
 * integer. `mechanism` of AUTH is in upper case, `initial` the initial response as sent. `attributes` of XCLIENT are not
 * looked at yet. `name` of an unknown verb is in upper case and at most 64 octets of whatever the client sent: escape it
 * before logging.
 */
export type Command =
  | { readonly verb: "HELO" | "EHLO" | "LHLO"; readonly domain: string }
  | { readonly verb: "MAIL"; readonly reversePath: ReversePath; readonly parameters: readonly Parameter[] }
  | { readonly verb: "RCPT"; readonly forwardPath: ForwardPath; readonly parameters: readonly Parameter[] }
  | { readonly verb: "BDAT"; readonly sizeBytes: number; readonly last: boolean }
  | { readonly verb: "DATA" | "RSET" | "NOOP" | "QUIT" | "HELP" | "STARTTLS" }
  | { readonly verb: "AUTH"; readonly mechanism: string; readonly initial: string | undefined }
  | { readonly verb: "XCLIENT"; readonly attributes: string }
  | { readonly verb: "VRFY"; readonly argument: string }
  | { readonly verb: "UNKNOWN"; readonly name: string }
  | { readonly verb: "BAD"; readonly of: Verb; readonly reason: BadReason };

/**
 * `smtputf8` (RFC 6531), default false. For MAIL: SMTPUTF8 is on offer, and octets from 0x80 up are fine if the command
 * carries the SMTPUTF8 parameter. For RCPT: the transaction's MAIL carried it.
 */
export interface CommandOptions {
  readonly smtputf8?: boolean;
}

const MAX_NAME = 64; // octets of an unknown verb that are kept
const MAX_HELO = 255; // octets, RFC 5321 §4.5.3.1.2

/**
 * Parses one command line, an octet string without CRLF. The verb's case and blanks at the end do not matter.
 *
 * @example
 * ```ts
 * import { parseCommand } from "./command.ts";
 * parseCommand("noop"); // { verb: "NOOP" }
 * parseCommand("MAIL FROM:<> SIZE=10"); // parameters: [{ keyword: "SIZE", value: "10" }]
 * parseCommand("DATA now"); // { verb: "BAD", of: "DATA", reason: "unexpected argument" }
 * ```
 */
export function parseCommand(line: string, options: CommandOptions = {}): Command {
  let nameEnd = 0;
  while (nameEnd < line.length && !isBlank(line.charCodeAt(nameEnd))) nameEnd++;
  const name = upperCaseAscii(line.slice(0, Math.min(nameEnd, MAX_NAME)));
  const argument = trimBlanks(line.slice(nameEnd));
  switch (name) {
    case "HELO":
    case "EHLO":
    case "LHLO":
      if (argument.length > MAX_HELO) return bad(name, "too long");
      return isPrintable(argument) ? { verb: name, domain: argument } : bad(name, "bad argument");
    case "MAIL":
      return parseMail(argument, options);
    case "RCPT":
      return parseRcpt(argument, options);
    case "BDAT":
      return parseBdat(argument);
    case "AUTH":
      return parseAuth(argument);
    case "XCLIENT":
      return { verb: name, attributes: argument };
    case "DATA":
    case "RSET":
    case "QUIT":
    case "STARTTLS":
      return argument === "" ? { verb: name } : bad(name, "unexpected argument");
    case "NOOP": // may have an argument, which means nothing (RFC 5321 §4.1.1.9)
    case "HELP":
      return { verb: name };
    case "VRFY":
      return isPrintable(argument) ? { verb: name, argument } : bad(name, "bad argument");
    default:
      return { verb: "UNKNOWN", name };
  }
}

/**
 * Whether an unknown verb is a HTTP request's method. A browser can be made to post to port 25; a server that goes on
 * talking to it would take commands from the body, so it closes the connection instead.
 */
export function isHttpVerb(name: string): boolean {
  return HTTP_VERBS.has(upperCaseAscii(name));
}

const HTTP_VERBS: ReadonlySet<string> = new Set(
  ["GET", "POST", "PUT", "HEAD", "CONNECT", "OPTIONS", "DELETE", "PATCH", "TRACE", "PRI"],
);

function parseMail(argument: string, options: CommandOptions): Command {
  if (!hasPrefix(argument, "FROM:")) return bad("MAIL", "syntax");
  const offered = options.smtputf8 === true;
  const parsed = parseReversePath(argument.slice("FROM:".length), { smtputf8: offered });
  if (!parsed.ok) return bad("MAIL", parsed.error);
  const parameters = parseParameters(parsed.value.parameters, offered);
  if (!parameters.ok) return bad("MAIL", parameters.error);
  if (offered && !isAscii(argument) && !parameters.value.some((p) => p.keyword === "SMTPUTF8")) {
    return bad("MAIL", "utf8 without SMTPUTF8");
  }
  return { verb: "MAIL", reversePath: parsed.value.path, parameters: parameters.value };
}

function parseRcpt(argument: string, options: CommandOptions): Command {
  if (!hasPrefix(argument, "TO:")) return bad("RCPT", "syntax");
  const parsed = parseForwardPath(argument.slice("TO:".length), options);
  if (!parsed.ok) return bad("RCPT", parsed.error);
  const parameters = parseParameters(parsed.value.parameters, options.smtputf8 === true);
  if (!parameters.ok) return bad("RCPT", parameters.error);
  return { verb: "RCPT", forwardPath: parsed.value.path, parameters: parameters.value };
}

/** `chunk-size [SP "LAST"]` (RFC 3030 §2). Digits beyond what a number holds exactly are no size. */
function parseBdat(argument: string): Command {
  const words = argument.split(/[ \t]+/);
  const [size = "", last] = words;
  const isSize = /^[0-9]{1,15}$/.test(size);
  const isWhole = words.length === 1 || words.length === 2 && upperCaseAscii(last!) === "LAST";
  return isSize && isWhole
    ? { verb: "BDAT", sizeBytes: Number(size), last: words.length === 2 }
    : bad("BDAT", "bad argument");
}

/** `mechanism [SP initial-response]` (RFC 4954 §4). */
function parseAuth(argument: string): Command {
  const words = argument.split(/[ \t]+/);
  const mechanism = upperCaseAscii(words[0]!);
  if (words.length > 2 || mechanism === "" || !isPrintable(argument)) return bad("AUTH", "bad argument");
  return { verb: "AUTH", mechanism, initial: words[1] };
}

/** `keyword ["=" value]`, separated by blanks (RFC 5321 §4.1.2 esmtp-param; RFC 6531 §3.3 for octets from 0x80 up). */
function parseParameters(octets: string, smtputf8: boolean): Result<readonly Parameter[], BadReason> {
  if (octets === "") return ok([]);
  const parameters: Parameter[] = [];
  const seen = new Set<string>();
  for (const word of octets.split(/[ \t]/)) {
    if (word === "") continue; // more than one blank
    const equals = word.indexOf("=");
    const keyword = upperCaseAscii(equals < 0 ? word : word.slice(0, equals));
    const value = equals < 0 ? undefined : word.slice(equals + 1);
    if (!isKeyword(keyword)) return err("bad parameter");
    if (value !== undefined && !isParameterValue(value, smtputf8)) return err("bad parameter");
    if (seen.has(keyword)) return err("duplicate parameter");
    seen.add(keyword);
    parameters.push({ keyword, value });
  }
  return ok(parameters);
}

/** A letter or digit, then letters, digits and hyphens. */
function isKeyword(upper: string): boolean {
  for (let at = 0; at < upper.length; at++) {
    const octet = upper.charCodeAt(at);
    const isLetterOrDigit = (octet >= 0x41 && octet <= 0x5a) || (octet >= 0x30 && octet <= 0x39);
    if (!isLetterOrDigit && (octet !== 0x2d || at === 0)) return false;
  }
  return upper !== "";
}

/** At least one octet, printable, without blank or "=". */
function isParameterValue(value: string, smtputf8: boolean): boolean {
  for (let at = 0; at < value.length; at++) {
    const octet = value.charCodeAt(at);
    if (octet <= 0x20 || octet === 0x3d || octet === 0x7f || (octet >= 0x80 && !smtputf8)) return false;
  }
  return value !== "";
}

function bad(of: Verb, reason: BadReason): Command {
  return { verb: "BAD", of, reason };
}

function hasPrefix(text: string, upper: string): boolean {
  return upperCaseAscii(text.slice(0, upper.length)) === upper;
}

const small = /[a-z]/;
const smalls = /[a-z]+/g;

/** Upper case for a-z alone: `toUpperCase()` would turn some octets from 0x80 up into other characters, even into two. */
export function upperCaseAscii(octets: string): string {
  return small.test(octets) ? octets.replace(smalls, (letters) => letters.toUpperCase()) : octets;
}

function isAscii(octets: string): boolean {
  for (let at = 0; at < octets.length; at++) if (octets.charCodeAt(at) >= 0x80) return false;
  return true;
}

function isPrintable(octets: string): boolean {
  for (let at = 0; at < octets.length; at++) {
    const octet = octets.charCodeAt(at);
    if (octet < 0x20 || octet > 0x7e) return false;
  }
  return true;
}

function isBlank(octet: number): boolean {
  return octet === 0x20 || octet === 0x09;
}

function trimBlanks(octets: string): string {
  let start = 0;
  let end = octets.length;
  while (start < end && isBlank(octets.charCodeAt(start))) start++;
  while (end > start && isBlank(octets.charCodeAt(end - 1))) end--;
  return octets.slice(start, end);
}
