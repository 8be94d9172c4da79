/**
 * One line of what greylisting remembers, as the file holds it: 44 octets, numbers big-endian.
 *
 * ```text
 * 0  "dg"   2  kind: 1 waiting, 2 known, 3 network   3  triplets of a network that came back, else 0
 * 4  seconds since 1970   8  key   24  the network of a triplet that waits, else zeros   40  CRC-32 of the 40 before
 * ```
 *
 * All of one size, so a damaged one takes no other with it.
 * @module
 */
import { crc32 } from "node:zlib";
import { fromOctets, toOctets } from "../lib/octets.ts";
import type { Hash } from "./triplet.ts";
import { hashBytes } from "./triplet.ts";

/** What holds of a key from a moment on. A triplet's first sight, a triplet's last use, a network's last use. */
export type GreylistRecord =
  | { readonly kind: "waiting"; readonly key: Hash; readonly seconds: number; readonly network: Hash }
  | { readonly kind: "known"; readonly key: Hash; readonly seconds: number }
  | { readonly kind: "network"; readonly key: Hash; readonly seconds: number; readonly passed: number };

export const recordBytes = 44;
const crcAt = recordBytes - 4;
/** "dg". */
const magic = 0x6467;
const kinds = ["waiting", "known", "network"] as const;

/** The records one after the other. */
export function formatRecords(records: readonly GreylistRecord[]): Uint8Array {
  const octets = new Uint8Array(records.length * recordBytes);
  records.forEach((record, at) => putRecord(octets.subarray(at * recordBytes, (at + 1) * recordBytes), record));
  return octets;
}

function putRecord(target: Uint8Array, record: GreylistRecord): void {
  const view = new DataView(target.buffer, target.byteOffset);
  view.setUint16(0, magic);
  view.setUint8(2, kinds.indexOf(record.kind) + 1);
  view.setUint8(3, record.kind === "network" ? record.passed : 0);
  view.setUint32(4, record.seconds);
  target.set(toOctets(record.key), 8);
  if (record.kind === "waiting") target.set(toOctets(record.network), 8 + hashBytes);
  view.setUint32(crcAt, crc32(target.subarray(0, crcAt)));
}

export interface ParsedRecords {
  readonly records: readonly GreylistRecord[];
  /** Whether something else was among them, or the end of one is missing. */
  readonly damaged: boolean;
}

/** The whole, undamaged records of a piece of the file that begins with one. */
export function parseRecords(octets: Uint8Array): ParsedRecords {
  const records: GreylistRecord[] = [];
  for (let at = 0; at + recordBytes <= octets.length; at += recordBytes) {
    const record = parseRecord(octets.subarray(at, at + recordBytes));
    if (record !== undefined) records.push(record);
  }
  return { records, damaged: records.length * recordBytes !== octets.length };
}

function parseRecord(octets: Uint8Array): GreylistRecord | undefined {
  const view = new DataView(octets.buffer, octets.byteOffset);
  if (view.getUint16(0) !== magic || view.getUint32(crcAt) !== crc32(octets.subarray(0, crcAt))) return undefined;
  const seconds = view.getUint32(4);
  const key = fromOctets(octets.subarray(8, 8 + hashBytes));
  switch (kinds[view.getUint8(2) - 1]) {
    case "waiting":
      return { kind: "waiting", key, seconds, network: fromOctets(octets.subarray(8 + hashBytes, crcAt)) };
    case "known":
      return { kind: "known", key, seconds };
    case "network":
      return { kind: "network", key, seconds, passed: view.getUint8(3) };
    default:
      return undefined;
  }
}
