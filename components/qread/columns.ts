/**
 * What is kept of messages, in typed arrays: a block of some ten thousand at a time, so that no array is ever copied to
 * grow.
 * @module
 */

export const blockSlots = 65_536;

/** Bits of `flags`. */
export const flag = { fresh: 1, journal: 2, cut: 4 } as const;

/** All columns of so many slots; 46 octets each. */
export class Block {
  readonly id = new Float64Array(blockSlots);
  readonly born = new Uint32Array(blockSlots);
  /** As nextSecondsOf() tells. */
  readonly next = new Uint32Array(blockSlots);
  readonly size = new Uint32Array(blockSlots);
  /** The beginning of the sender as a number that sorts as it does. */
  readonly sender = new Float64Array(blockSlots);
  readonly flags = new Uint8Array(blockSlots);
  readonly localSeconds = new Uint32Array(blockSlots);
  readonly remoteSeconds = new Uint32Array(blockSlots);
  /** Where its addresses are in the pool: sender and recipients, each ended with NUL, in lower case. */
  readonly text = new Uint32Array(blockSlots);
  readonly textLength = new Uint16Array(blockSlots);
  /** Of the sender alone. */
  readonly senderLength = new Uint16Array(blockSlots);
  /** The look at the queue that found it last. */
  readonly look = new Uint8Array(blockSlots);
}

const columns = [
  ...["id", "born", "next", "size", "sender", "flags", "localSeconds", "remoteSeconds"] as const,
  ...["text", "textLength", "senderLength", "look"] as const,
];

/** Copies all columns of one slot to another. */
export function copySlot(from: Block, at: number, to: Block, toAt: number): void {
  for (const column of columns) to[column][toAt] = from[column][at]!;
}

/** A number holds so many octets without loss. */
export const prefixOctets = 6;

/** The first octets of an octet string as a number: where two differ, the strings sort as they do. */
export function prefixOf(octets: string): number {
  let prefix = 0;
  for (let at = 0; at < prefixOctets; at++) prefix = prefix * 256 + (at < octets.length ? octets.charCodeAt(at) : 0);
  return prefix;
}
