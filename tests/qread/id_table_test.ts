import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { IdTable } from "../../components/qread/id_table.ts";

describe("IdTable", () => {
  it("is a map, whatever is set and deleted", () =>
    fc.assert(
      fc.property(
        fc.array(fc.record({ id: fc.integer({ min: 1, max: 2500 }), slot: fc.option(fc.nat(9), { nil: undefined }) }), {
          maxLength: 4000,
          size: "max",
        }),
        (steps) => {
          const table = new IdTable();
          const model = new Map<number, number>();
          for (const { id, slot } of steps) {
            // Far apart and side by side; some beyond 32 bits.
            const key = id % 3 === 0 ? id * 2 ** 31 : id;
            if (slot === undefined) {
              table.delete(key);
              model.delete(key);
            } else {
              table.set(key, slot);
              model.set(key, slot);
            }
          }
          assertEquals(table.size, model.size);
          for (let id = 1; id <= 2500; id++) {
            const key = id % 3 === 0 ? id * 2 ** 31 : id;
            assertEquals(table.get(key), model.get(key));
          }
        },
      ),
      { numRuns: 20 },
    ));

  it("grows, and finds all there were", () => {
    const table = new IdTable();
    for (let id = 1; id <= 20_000; id++) table.set(id, id % 7);
    assertEquals([table.size, table.get(1), table.get(20_000), table.get(20_001)], [20_000, 1, 20_000 % 7, undefined]);
  });
});
