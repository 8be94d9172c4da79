/**
 * xtext (RFC 3461 §4): octets as printable ASCII without blank, `+` and `=`, which the parameters of MAIL and RCPT can
 * carry whatever an address or an identifier holds.
 * @module
 */
import { err, ok, type Result } from "../result.ts";

/**
 * @example
 * ```ts
 * import { formatXtext } from "./xtext.ts";
 * formatXtext("a+b=c\n"); // "a+2Bb+3Dc+0A"
 * ```
 */
export function formatXtext(octets: string): string {
  return octets.replace(
    /[^!-*,-<>-~]/g,
    (octet) => `+${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

/** Inverse of {@link formatXtext}. Errors: an octet that has no place in it, or a `+` without its two digits (in upper case). */
export function parseXtext(text: string): Result<string, string> {
  if (!/^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/.test(text)) return err("not xtext");
  return ok(text.replace(/\+(..)/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 16))));
}
