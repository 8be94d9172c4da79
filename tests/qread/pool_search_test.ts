import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { toOctets } from "../../components/lib/octets.ts";
import { OctetPool } from "../../components/qread/octet_pool.ts";
import { OctetSearch } from "../../components/qread/octet_search.ts";
import { PoolSearch } from "../../components/qread/pool_search.ts";

const few = fc.string({ unit: fc.constantFrom("a", "b", "\0", "\xff"), maxLength: 12 });

describe("OctetSearch", () => {
  it("finds what String.includes() finds, and only between its bounds", () =>
    fc.assert(fc.property(few, few, few, few, (needle, before, text, behind) => {
      const octets = toOctets(before + text + behind);
      const to = before.length + text.length;
      const search = new OctetSearch(needle);
      assertEquals(search.isIn(octets, before.length, to), text.includes(needle));
      assertEquals(search.is(octets, before.length, to), text === needle);
    })));
});

describe("PoolSearch", () => {
  it("finds the entries that hold an octet string, and no other", () =>
    fc.assert(fc.property(fc.array(few, { maxLength: 30 }), few.filter((one) => one !== ""), (entries, needle) => {
      const pool = new OctetPool();
      const places = entries.map((entry) => pool.add(`${entry}\0`));
      const search = new PoolSearch(pool, needle);
      for (const [n, entry] of entries.entries()) {
        assertEquals(search.isAt(places[n]!, 0, entry.length + 1), `${entry}\0`.includes(needle));
        assertEquals(search.isAt(places[n]!, 1, entry.length), entry.slice(1).includes(needle));
      }
    })));

  it("finds what lies across two of the pieces that are searched at a time, and where there is very much of it", () => {
    for (const filler of ["x", "needle"]) {
      const pool = new OctetPool();
      const places = Array.from(
        { length: 9000 },
        (_, n) => pool.add(filler.repeat(n % 50) + (n % 3 === 0 ? "Needle" : "")),
      );
      const search = new PoolSearch(pool, "Needle");
      const found = places.map((place, n) => search.isAt(place, 0, filler.length * (n % 50) + (n % 3 === 0 ? 6 : 0)));
      assertEquals(found.filter((is) => is).length, 3000);
    }
  });
});
