/** Test helpers for octet strings: each char code is one octet. */
import { ifThere } from "../../components/lib/disk/if_there.ts";

/** Octet string to octets. */
export function bytes(octets: string): Uint8Array {
  return Uint8Array.from(octets, (char) => char.charCodeAt(0));
}

/** Octets to octet string. */
export function text(octets: Uint8Array): string {
  return Array.from(octets, (octet) => String.fromCharCode(octet)).join("");
}

/** Text to the octet string of its UTF-8. */
export function utf8(value: string): string {
  return text(new TextEncoder().encode(value));
}

/** Cuts octets at the given places, taken modulo the length; empty chunks may result. */
export function cut(octets: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [0, ...places.map((place) => place % (octets.length + 1)).sort((a, b) => a - b), octets.length];
  return at.slice(1).map((end, index) => octets.subarray(at[index], end));
}

/** Folders of shared vectors lie beside the checkout; undefined where this one does not. */
export function readVector(name: string): string | undefined {
  return ifThere(() => Deno.readTextFileSync(new URL(`../../../shared/vectors/${name}`, import.meta.url)));
}
