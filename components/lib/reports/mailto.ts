/**
 * The addresses that a record in the DNS names as `mailto:` (RFC 6068): for reports, so only those that need no quotes and can
 * stand in any field.
 * @module
 */
import { isDomain } from "../../../config/values.ts";

/** A local part of plain characters, and a domain. */
export function isPlainAddress(address: string): boolean {
  const at = address.lastIndexOf("@");
  const isPlain = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}$/.test(address.slice(0, Math.max(at, 0)));
  return isPlain && isDomain(address.slice(at + 1));
}

/**
 * The address of a `mailto:`, the header fields behind a "?" left out; undefined for any other URI, and where the address
 * would need quotes.
 *
 * @example
 * ```ts
 * import { addressOfMailto } from "./mailto.ts";
 * addressOfMailto("mailto:tls%2Breports@example.org?subject=x"); // "tls+reports@example.org"
 * ```
 */
export function addressOfMailto(uri: string): string | undefined {
  const [, encoded] = /^mailto:([^?]*)/i.exec(uri) ?? [];
  if (encoded === undefined) return undefined;
  const address = encoded.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return isPlainAddress(address) ? address : undefined;
}
