/**
 * base64 (RFC 4648 §4) of AUTH's challenges and responses.
 * @module
 */
import { Buffer } from "node:buffer";

/** Undefined for all that is not what {@link encodeBase64} would have written, padding and unused bits included. */
export function decodeBase64(text: string): Uint8Array | undefined {
  // Takes nearly everything; writing it again shows what was left out.
  const octets = Buffer.from(text, "base64");
  return octets.toString("base64") === text ? new Uint8Array(octets) : undefined;
}

export function encodeBase64(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString("base64");
}
