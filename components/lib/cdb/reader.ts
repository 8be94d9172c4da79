/**
 * Looks up keys in a cdb file. Nothing in the file is trusted: each place and length is held against the file's size
 * before it is used, and a file that contradicts itself is an error, never "not found": a mailbox may not vanish because
 * a disk or an editor damaged the list.
 * @module
 */
import { err, ok, type Result } from "../result.ts";
import type { CdbRecord } from "./maker.ts";
import { hashOf, headerBytes, recordHeadBytes, slotBytes } from "./hash.ts";

/** Where the octets are: a file, or memory. */
export interface CdbSource {
  readonly sizeBytes: number;
  /** `count` octets from `offset` on; fewer where it ends. */
  readAt(offset: number, count: number): Uint8Array;
}

/** A source in memory. */
export function cdbBytes(octets: Uint8Array): CdbSource {
  return { sizeBytes: octets.length, readAt: (offset, count) => octets.subarray(offset, offset + count) };
}

type Numbers = readonly [number, number];

/** Two numbers at `offset`, or undefined where the file ends before. */
function pairAt(source: CdbSource, offset: number): Numbers | undefined {
  const octets = source.readAt(offset, 8);
  if (octets.length < 8) return undefined;
  const view = new DataView(octets.buffer, octets.byteOffset, 8);
  return [view.getUint32(0, true), view.getUint32(4, true)];
}

/**
 * The data of the first record of that key; `undefined` when there is none. Errors: what is wrong with the file. Throws
 * only what the source throws.
 */
export function findInCdb(source: CdbSource, key: Uint8Array): Result<Uint8Array | undefined, string> {
  const hash = hashOf(key);
  const header = source.sizeBytes < headerBytes ? undefined : pairAt(source, (hash & 255) * 8);
  if (header === undefined) return err("the header ends early");
  const [table, slots] = header;
  if (slots === 0) return ok(undefined);
  if (table < headerBytes || table + slots * slotBytes > source.sizeBytes) {
    return err("a table lies outside of the file");
  }
  const first = (hash >>> 8) % slots;
  for (let count = 0; count < slots; count++) {
    const slot = pairAt(source, table + ((first + count) % slots) * slotBytes);
    if (slot === undefined) return err("a table ends early");
    const [slotHash, place] = slot;
    if (place === 0) return ok(undefined);
    if (slotHash !== hash) continue;
    const found = recordAt(source, place, key);
    if (!found.ok || found.value !== undefined) return found;
  }
  return ok(undefined);
}

/** The data of the record at `place`, if it has this key. */
function recordAt(source: CdbSource, place: number, key: Uint8Array): Result<Uint8Array | undefined, string> {
  const lengths = place < headerBytes ? undefined : pairAt(source, place);
  if (lengths === undefined) return err("a record lies outside of the file");
  const [keyBytes, dataBytes] = lengths;
  const keyAt = place + recordHeadBytes;
  if (keyAt + keyBytes + dataBytes > source.sizeBytes) return err("a record is longer than the file");
  if (keyBytes !== key.length) return ok(undefined);
  const own = source.readAt(keyAt, keyBytes);
  if (own.length !== keyBytes) return err("a key ends early");
  if (!own.every((octet, at) => octet === key[at])) return ok(undefined);
  const data = source.readAt(keyAt + keyBytes, dataBytes);
  return data.length === dataBytes ? ok(data) : err("a record ends early");
}

/** All records in the file's order. Errors: what is wrong with the file. Throws only what the source throws. */
export function cdbRecords(source: CdbSource): Result<readonly CdbRecord[], string> {
  const end = recordsEnd(source);
  if (end === undefined) return err("the header ends early");
  if (end < headerBytes || end > source.sizeBytes) return err("a table lies outside of the file");
  const records: CdbRecord[] = [];
  for (let place = headerBytes; place < end;) {
    const lengths = pairAt(source, place);
    if (lengths === undefined) return err("a record ends early");
    const keyAt = place + recordHeadBytes;
    const dataAt = keyAt + lengths[0];
    place = dataAt + lengths[1];
    if (place > end) return err("a record is longer than the file");
    records.push({ key: source.readAt(keyAt, lengths[0]), data: source.readAt(dataAt, lengths[1]) });
  }
  return ok(records);
}

/** Where the first table begins: records come before all of them. */
function recordsEnd(source: CdbSource): number | undefined {
  if (source.sizeBytes < headerBytes) return undefined;
  let end = source.sizeBytes;
  for (let number = 0; number < 256; number++) {
    const [table, slots] = pairAt(source, number * 8) ?? [0, 0];
    if (slots > 0) end = Math.min(end, table);
  }
  // An empty file has tables without slots alone.
  return source.sizeBytes === headerBytes ? headerBytes : end;
}
