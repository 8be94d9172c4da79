/**
 * Octet strings: a string in which each char code is one octet (0 to 255). Addresses, SMTP lines and queue records are
 * kept so, because mail may hold any octets and nothing here may change one.
 * @module
 */
import { Buffer } from "node:buffer";

const utf8 = new TextEncoder();

/** The octets of an octet string. Char codes over 255 lose their high bits: only octet strings belong here. */
export function toOctets(text: string): Uint8Array {
  // ASCII, as nearly all of it is, is its own UTF-8, which costs a tenth for long text: Buffer goes char by char.
  const octets = utf8.encode(text);
  return octets.length === text.length ? octets : Buffer.from(text, "latin1");
}

/** {@link toOctets}, in the beginning of `memory` where they have room there. */
export function putOctets(text: string, memory: Uint8Array): Uint8Array {
  const { read, written } = utf8.encodeInto(text, memory);
  const isAscii = read === text.length && written === text.length;
  return isAscii ? memory.subarray(0, text.length) : toOctets(text);
}

/** The octet string of some octets. */
export function fromOctets(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString("latin1");
}

/** Text of our own (a path, a message to the operator) as an octet string of its UTF-8. */
export function utf8Octets(text: string): string {
  return fromOctets(utf8.encode(text));
}
