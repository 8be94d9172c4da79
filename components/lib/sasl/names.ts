/**
 * User names and passwords as clients send them: octet strings that nobody decodes. What could not be typed is refused,
 * so that no such octet reaches a log, a file or a program.
 * @module
 */
import { lowerCaseAscii } from "../address/parse_domain.ts";

/** RFC 4616 wants 255 of each at least. */
const longestLogin = 255;
/** What checkpassword's 512 octets leave room for. */
const longestPassword = 255;

/** Whether an octet string has none of the control characters, C0 and DEL. */
export function isPrintable(octets: string): boolean {
  for (let at = 0; at < octets.length; at++) {
    const code = octets.charCodeAt(at);
    if (code < 32 || code === 127) return false;
  }
  return true;
}

export function isLogin(octets: string): boolean {
  return octets.length >= 1 && octets.length <= longestLogin && isPrintable(octets);
}

export function isPassword(octets: string): boolean {
  return octets.length >= 1 && octets.length <= longestPassword && isPrintable(octets);
}

/** The one name of a user: `name@domain` in lower case; `me` is the domain of a name without one. */
export function canonicalLogin(login: string, me: string): string {
  return lowerCaseAscii(login.includes("@") ? login : `${login}@${me}`);
}
