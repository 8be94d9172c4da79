import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { fromOctets } from "../../components/lib/octets.ts";
import { chunkBytes, OctetPool } from "../../components/qread/octet_pool.ts";

function at(pool: OctetPool, place: number, length: number): string {
  const from = pool.offsetOf(place);
  return fromOctets(pool.chunkOf(place).subarray(from, from + length));
}

describe("OctetPool", () => {
  it("keeps each octet string in one piece, over many chunks", () => {
    const pool = new OctetPool();
    const long = "x\xff\0".repeat(1000);
    const places = Array.from({ length: 3000 }, (_, n) => pool.add(`${n}:${long}`));
    for (const n of [0, 1, 1398, 1399, 2999]) {
      assertEquals(at(pool, places[n]!, `${n}:${long}`.length), `${n}:${long}`);
    }
    assert(pool.bytes >= pool.liveBytes && pool.bytes <= pool.liveBytes + 2 * chunkBytes);
  });

  it("uses a chunk again in which nothing is needed", () => {
    const pool = new OctetPool();
    const long = "x".repeat(2000);
    for (let n = 0; n < 50_000; n++) pool.remove(pool.add(long), long.length);
    assertEquals(pool.liveBytes, 0);
    assert(pool.bytes <= 2 * chunkBytes, `${pool.bytes}`);
  });

  it("moves what is needed out of chunks in which little is, and gives them back", () => {
    const pool = new OctetPool();
    const long = "y".repeat(2000);
    const places = Array.from({ length: 10_000 }, () => pool.add(long));
    const kept = places.filter((_, n) => n % 10 === 0);
    for (const [n, place] of places.entries()) if (n % 10 !== 0) pool.remove(place, long.length);
    const before = pool.bytes;
    const sparse = pool.sparse();
    const moved = kept.map((place) => pool.isIn(place, sparse) ? pool.move(place, long.length) : place);
    assert(pool.bytes < before, `${before} octets before, ${pool.bytes} after`);
    for (const place of moved) assertEquals(at(pool, place, long.length), long);
    assertEquals(pool.liveBytes, kept.length * long.length);
  });
});
