import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { Recent } from "../../../components/lib/delivery/recent.ts";

describe("Recent", () => {
  it("knows a value until its time is over", () => {
    const recent = new Recent<number>(100);
    recent.set("a", 1, 1000);
    assertEquals([recent.get("a", 1000), recent.get("a", 1099), recent.get("a", 1100)], [1, 1, undefined]);
  });

  it("takes nothing for longer true because the clock was set back", () => {
    const recent = new Recent<number>(100);
    recent.set("a", 1, 1000);
    assertEquals(recent.get("a", 10), undefined);
  });

  it("forgets the oldest when it is full, and what it is told to", () => {
    const recent = new Recent<number>(100, 2);
    for (const [key, value] of [["a", 1], ["b", 2], ["a", 3], ["__proto__", 4]] as const) recent.set(key, value, 0);
    assertEquals([recent.get("a", 0), recent.get("b", 0), recent.get("__proto__", 0)], [3, undefined, 4]);
    recent.delete("a");
    assertEquals(recent.get("a", 0), undefined);
  });
});
