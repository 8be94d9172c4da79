/**
 * The order of senders in the index: by octets, in lower case. Those that are compared here begin alike, for their
 * prefixes (columns.ts) are equal: a shorter one is the beginning of the other.
 * @module
 */
import { type Block, prefixOctets } from "./columns.ts";
import type { OctetPool } from "./octet_pool.ts";

/** Negative: that of the first slot comes first. */
export function compareSenders(pool: OctetPool, a: Block, aAt: number, b: Block, bAt: number): number {
  const [aPlace, bPlace] = [a.text[aAt]!, b.text[bAt]!];
  const [aOctets, bOctets] = [pool.chunkOf(aPlace), pool.chunkOf(bPlace)];
  const [aFrom, bFrom] = [pool.offsetOf(aPlace), pool.offsetOf(bPlace)];
  const [aLength, bLength] = [a.senderLength[aAt]!, b.senderLength[bAt]!];
  const common = Math.min(aLength, bLength);
  for (let at = Math.min(prefixOctets, common); at < common; at++) {
    const difference = aOctets[aFrom + at]! - bOctets[bFrom + at]!;
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

/** The same with the octets of a sender in lower case. */
export function compareSenderWith(pool: OctetPool, block: Block, at: number, sender: Uint8Array): number {
  const place = block.text[at]!;
  const octets = pool.chunkOf(place);
  const from = pool.offsetOf(place);
  const length = block.senderLength[at]!;
  const common = Math.min(length, sender.length);
  for (let n = Math.min(prefixOctets, common); n < common; n++) {
    const difference = octets[from + n]! - sender[n]!;
    if (difference !== 0) return difference;
  }
  return length - sender.length;
}
