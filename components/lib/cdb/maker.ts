/**
 * Makes cdb files, octet for octet as qmail's programs do: records stream out as they come, then the tables, and last
 * the header, in front of them. Memory holds two numbers a record.
 * @module
 */
import { hashOf, headerBytes, mostBytes, recordHeadBytes, slotBytes } from "./hash.ts";

export interface CdbRecord {
  readonly key: Uint8Array;
  readonly data: Uint8Array;
}

interface Placed {
  readonly hash: number;
  readonly place: number;
}

/** The file would have more than 4 GiB: its numbers have no room for that. */
export class CdbTooLarge extends Error {
  override name = "CdbTooLarge";
}

/** The octets of one file in their order after the header, which is made last. */
export class CdbMaker {
  readonly #tables: Placed[][] = Array.from({ length: 256 }, () => []);
  #place = headerBytes;

  /** The octets of one record; of records with one key the first is found. Throws {@link CdbTooLarge}. */
  add({ key, data }: CdbRecord): Uint8Array {
    const place = this.#advance(recordHeadBytes + key.length + data.length);
    const octets = new Uint8Array(this.#place - place);
    const view = new DataView(octets.buffer);
    view.setUint32(0, key.length, true);
    view.setUint32(4, data.length, true);
    octets.set(key, recordHeadBytes);
    octets.set(data, recordHeadBytes + key.length);
    const hash = hashOf(key);
    this.#tables[hash & 255]!.push({ hash, place });
    return octets;
  }

  /** What follows the last record, and the header for the place in front of the first. Throws {@link CdbTooLarge}. */
  finish(): { readonly tables: readonly Uint8Array[]; readonly header: Uint8Array } {
    const header = new Uint8Array(headerBytes);
    const view = new DataView(header.buffer);
    const tables = this.#tables.map((records, number) => {
      const octets = tableOf(records);
      view.setUint32(number * 8, this.#advance(octets.length), true);
      view.setUint32(number * 8 + 4, octets.length / slotBytes, true);
      return octets;
    });
    return { tables, header };
  }

  /** Takes the next `count` octets of the file; answers where they begin. */
  #advance(count: number): number {
    const place = this.#place;
    if (place + count > mostBytes) throw new CdbTooLarge("a cdb file may not have more than 4 GiB");
    this.#place += count;
    return place;
  }
}

/** Twice as many slots as records; each record in the first free one from its hash's own on. */
function tableOf(records: readonly Placed[]): Uint8Array {
  const slots = records.length * 2;
  const octets = new Uint8Array(slots * slotBytes);
  const view = new DataView(octets.buffer);
  for (const { hash, place } of records) {
    let slot = (hash >>> 8) % slots;
    while (view.getUint32(slot * slotBytes + 4, true) !== 0) slot = (slot + 1) % slots;
    view.setUint32(slot * slotBytes, hash, true);
    view.setUint32(slot * slotBytes + 4, place, true);
  }
  return octets;
}
