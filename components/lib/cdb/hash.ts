/**
 * What reader and writer of cdb files share. A cdb file is a header of 256 pairs (place and number of slots of a table),
 * the records, and the tables of slots (hash, place of the record); all numbers are unsigned, 32 bits, little-endian.
 * @module
 */

/** 256 tables, eight octets each. */
export const headerBytes = 2048;
/** In front of a record's key and data: the lengths of both. */
export const recordHeadBytes = 8;
export const slotBytes = 8;
/** Places have 32 bits. */
export const mostBytes = 0xffff_ffff;

/** The hash of a key: h = 5381, then (h * 33) xor octet for each. */
export function hashOf(key: Uint8Array): number {
  let hash = 5381;
  for (const octet of key) hash = ((Math.imul(hash, 33)) ^ octet) >>> 0;
  return hash;
}
