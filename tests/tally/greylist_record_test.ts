import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  formatRecords,
  type GreylistRecord,
  parseRecords,
  recordBytes,
} from "../../components/tally/greylist_record.ts";
import { hashBytes } from "../../components/tally/triplet.ts";
import { fromOctets } from "../../components/lib/octets.ts";

const hash = fc.uint8Array({ minLength: hashBytes, maxLength: hashBytes }).map(fromOctets);
const plain = { noNullPrototype: true } as const;
const seconds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const record: fc.Arbitrary<GreylistRecord> = fc.oneof(
  fc.record({ kind: fc.constant("waiting" as const), key: hash, seconds, network: hash }, plain),
  fc.record({ kind: fc.constant("known" as const), key: hash, seconds }, plain),
  fc.record({ kind: fc.constant("network" as const), key: hash, seconds, passed: fc.nat(255) }, plain),
);
const records = fc.array(record, { maxLength: 20 });

describe("parseRecords()", () => {
  it("is the inverse of formatRecords()", () => {
    fc.assert(fc.property(records, (all) => {
      assertEquals(parseRecords(formatRecords(all)), { records: all, damaged: false });
    }));
  });

  it("finds the whole records in front of any torn end", () => {
    fc.assert(fc.property(records, fc.nat(2000), fc.uint8Array({ maxLength: 100 }), (all, cut, rest) => {
      const octets = formatRecords(all).subarray(0, cut);
      const whole = Math.floor(octets.length / recordBytes);
      const torn = octets.length % recordBytes !== 0;
      assertEquals(parseRecords(octets), { records: all.slice(0, whole), damaged: torn });
      const parsed = parseRecords(Uint8Array.from([...octets, ...rest]));
      assertEquals(parsed.records.slice(0, whole), all.slice(0, whole));
      assert(parsed.damaged || (torn ? false : rest.length === 0));
    }));
  });

  it("loses one record to one octet that changed, and none of the others", () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 9 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (all, at, by) => {
          const octets = formatRecords(all);
          const place = at % octets.length;
          octets[place]! ^= by;
          const lost = Math.floor(place / recordBytes);
          assertEquals(parseRecords(octets), { records: all.filter((_, n) => n !== lost), damaged: true });
        },
      ),
    );
  });

  it("takes no octets for a record, and throws for none", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
      assertEquals(parseRecords(octets), { records: [], damaged: octets.length > 0 });
    }));
  });
});
