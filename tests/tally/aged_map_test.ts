import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { AgedMap } from "../../components/tally/aged_map.ts";

type Deed = readonly ["set" | "delete" | "look" | "drop", string];

const deeds = fc.array(
  fc.tuple(fc.constantFrom<Deed[0]>("set", "delete", "look", "drop"), fc.constantFrom("a", "b", "c", "d", "e")),
  { maxLength: 80 },
);

describe("AgedMap", () => {
  it("is a list in the order of the last set, whatever is done to it", () => {
    fc.assert(fc.property(deeds, (all) => {
      const map = new AgedMap<number>();
      let list: (readonly [string, number])[] = [];
      all.forEach(([deed, key], n) => {
        switch (deed) {
          case "set":
            map.set(key, n);
            list = [...list.filter(([other]) => other !== key), [key, n]];
            break;
          case "delete":
            map.delete(key);
            list = list.filter(([other]) => other !== key);
            break;
          case "look":
            assertEquals(map.oldest, list[0]);
            break;
          case "drop": {
            const gone: number[] = [];
            map.dropWhile(() => map.size > 2, (value) => gone.push(value));
            assertEquals(gone, list.splice(0, Math.max(0, list.length - 2)).map(([, value]) => value));
            break;
          }
        }
        assertEquals([...map.entries()], list);
        assertEquals(map.size, list.length);
        assertEquals(["a", "b"].map((key) => map.get(key)), ["a", "b"].map((key) => new Map(list).get(key)));
      });
    }));
  });

  it("ends going through its entries, though all are put behind again meanwhile", () => {
    const map = new AgedMap<number>();
    for (const key of ["a", "b", "c"]) map.set(key, 1);
    const seen: string[] = [];
    for (const [key] of map.entries()) {
      seen.push(key);
      map.set(key, 2);
    }
    assertEquals(seen, ["a", "b", "c"]);
  });
});
