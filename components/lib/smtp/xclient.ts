/**
 * The attributes of XCLIENT, by which a trusted proxy says for whom it speaks (Postfix's extension; values are xtext, RFC
 * 3461 §4). Who may use it is not decided here.
 * @module
 */
import { parseIpv4, parseIpv6 } from "../../../config/ip/parse_ip.ts";
import { assertNever, err, ok, type Result } from "../result.ts";
import { parseXtext } from "./xtext.ts";

/** The names, as EHLO offers them behind `XCLIENT`. */
export const xclientNames = ["NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT"] as const;
export type XclientName = (typeof xclientNames)[number];

/** `unavailable`: there is none ([UNAVAILABLE]), or it could not be found out just now ([TEMPUNAVAIL]). */
export type Attribute<T> =
  | { readonly kind: "known"; readonly value: T }
  | { readonly kind: "unavailable"; readonly temporary: boolean };

/** What was given; what was not stays as it was. Octet strings. */
export interface XclientAttributes {
  /** The client's host name. */
  readonly name?: Attribute<string>;
  /** Without the prefix `IPV6:`. */
  readonly addr?: Attribute<string>;
  readonly port?: Attribute<number>;
  readonly proto?: Attribute<"SMTP" | "ESMTP">;
  readonly helo?: Attribute<string>;
  /** Whom the proxy has authenticated. */
  readonly login?: Attribute<string>;
  readonly destaddr?: Attribute<string>;
  readonly destport?: Attribute<number>;
}

export type XclientError = "no attribute" | "unknown attribute" | "attribute given twice" | "bad value";

/** Octets of one value: as long as a host name may be. */
const longestValue = 255;

type Values = { -readonly [K in keyof XclientAttributes]: XclientAttributes[K] | undefined };

/**
 * The attributes of the command's argument, `NAME=value` words with blanks between them.
 *
 * @example
 * ```ts
 * import { parseXclient } from "./xclient.ts";
 * parseXclient("ADDR=IPV6:2001:db8::1 NAME=[UNAVAILABLE]");
 * // { ok: true, value: { addr: { kind: "known", value: "2001:db8::1" },
 * //                      name: { kind: "unavailable", temporary: false } } }
 * ```
 */
export function parseXclient(argument: string): Result<XclientAttributes, XclientError> {
  const words = argument.split(" ").filter((word) => word !== "");
  if (words.length === 0) return err("no attribute");
  const seen = new Set<XclientName>();
  const values: Values = {};
  for (const word of words) {
    const equals = word.indexOf("=");
    const upper = word.slice(0, Math.max(equals, 0)).toUpperCase();
    const name = xclientNames.find((one) => one === upper);
    if (name === undefined) return err("unknown attribute");
    if (seen.has(name)) return err("attribute given twice");
    seen.add(name);
    const value = parseXtext(word.slice(equals + 1));
    if (!value.ok || !take(values, name, value.value)) return err("bad value");
  }
  return ok(values as XclientAttributes);
}

/** Puts one value in; answers whether it was one. */
function take(values: Values, name: XclientName, value: string): boolean {
  switch (name) {
    case "NAME":
      return (values.name = read(value, readWord)) !== undefined;
    case "ADDR":
      return (values.addr = read(value, readAddress)) !== undefined;
    case "PORT":
      return (values.port = read(value, readPort)) !== undefined;
    case "PROTO":
      return (values.proto = read(value, readProtocol)) !== undefined;
    case "HELO":
      return (values.helo = read(value, readWord)) !== undefined;
    case "LOGIN":
      return (values.login = read(value, readWord)) !== undefined;
    case "DESTADDR":
      return (values.destaddr = read(value, readAddress)) !== undefined;
    case "DESTPORT":
      return (values.destport = read(value, readPort)) !== undefined;
    default:
      return assertNever(name);
  }
}

function read<T>(value: string, known: (value: string) => T | undefined): Attribute<T> | undefined {
  const word = value.toUpperCase();
  if (word === "[UNAVAILABLE]") return { kind: "unavailable", temporary: false };
  if (word === "[TEMPUNAVAIL]") return { kind: "unavailable", temporary: true };
  const result = known(value);
  return result === undefined ? undefined : { kind: "known", value: result };
}

/** Whatever is said of a client goes into logs and header fields as a client's own word would: printable ASCII. */
function readWord(value: string): string | undefined {
  return value.length <= longestValue && /^[\x21-\x7e]+$/.test(value) ? value : undefined;
}

function readAddress(value: string): string | undefined {
  if (parseIpv4(value) !== undefined) return value;
  // Postfix writes the prefix; without one an address with colons can only be the same.
  const bare = /^ipv6:/i.test(value) ? value.slice(5) : value;
  return parseIpv6(bare)?.zone === "" ? bare.toLowerCase() : undefined;
}

function readPort(value: string): number | undefined {
  const port = /^[0-9]{1,5}$/.test(value) ? Number(value) : 65_536;
  return port <= 65_535 ? port : undefined;
}

function readProtocol(value: string): "SMTP" | "ESMTP" | undefined {
  const word = value.toUpperCase();
  return word === "SMTP" || word === "ESMTP" ? word : undefined;
}
