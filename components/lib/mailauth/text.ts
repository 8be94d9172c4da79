/**
 * Octet strings as the npm package mailauth wants them, and back: it takes text of Unicode, and so do internationalized
 * addresses (RFC 6531).
 * @module
 */
import { toOctets } from "../octets.ts";

const utf8 = new TextDecoder();

/** What is no UTF-8 becomes U+FFFD, which is part of no domain. */
export function decodeUtf8Octets(octets: string): string {
  // deno-lint-ignore no-control-regex
  return /^[\x00-\x7f]*$/.test(octets) ? octets : utf8.decode(toOctets(octets));
}
