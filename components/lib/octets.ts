/**
 * Octet strings: a string in which each char code is one octet (0 to 255). Addresses, SMTP lines and queue records are
 * kept so, because mail may hold any octets and nothing here may change one.
 * @module
 */
import { Buffer } from "node:buffer";

/** The octets of an octet string. Char codes over 255 lose their high bits: only octet strings belong here. */
export function toOctets(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** The octet string of some octets. */
export function fromOctets(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString("latin1");
}

const utf8 = new TextEncoder();

/** Text of our own (a path, a message to the operator) as an octet string of its UTF-8. */
export function utf8Octets(text: string): string {
  return fromOctets(utf8.encode(text));
}
