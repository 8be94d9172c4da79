import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { type Blow, type Step, steps } from "./chaos.ts";
import { Choices } from "./choices.ts";

const names = ["a", "b", "c", "d", "e", "f"];

function first(count: number, seed: number): Step[] {
  const all = steps(new Choices(seed), names);
  return Array.from({ length: count }, () => all.next().value);
}

function victims(blow: Blow): readonly string[] {
  return blow.kind === "components" ? blow.names : [];
}

describe("Choices", () => {
  it("repeats itself for the same seed only", () => {
    const ten = (seed: number) => {
      const choices = new Choices(seed);
      return Array.from({ length: 10 }, () => choices.fraction());
    };
    assertEquals(ten(1), ten(1));
    assertNotEquals(ten(1), ten(2));
  });

  it("keeps to the ends it is given", () => {
    fc.assert(fc.property(fc.nat(), fc.nat(50), fc.nat(50), (seed, least, more) => {
      const choices = new Choices(seed);
      const [whole, spread] = [choices.whole(least, least + more), choices.spread(least + 1, least + 1 + more)];
      assert(whole >= least && whole <= least + more);
      assert(spread >= least + 1 && spread <= least + 1 + more);
    }));
  });

  it("shuffles without losing or repeating one", () => {
    fc.assert(fc.property(fc.nat(), fc.array(fc.nat()), (seed, items) => {
      assertEquals(new Choices(seed).shuffled(items).toSorted(), items.toSorted());
    }));
  });
});

describe("steps()", () => {
  it("are the same for the same seed, others for another", () => {
    assertEquals(first(200, 7), first(200, 7));
    assertNotEquals(first(200, 7), first(200, 8));
  });

  it("hit no component twice at once, and every one as often as the others, give or take one", () => {
    fc.assert(fc.property(fc.nat(), fc.integer({ min: 1, max: 200 }), (seed, count) => {
      const hits = new Map(names.map((name) => [name, 0]));
      for (const { blow } of first(count, seed)) {
        assertEquals(new Set(victims(blow)).size, victims(blow).length);
        for (const name of victims(blow)) hits.set(name, hits.get(name)! + 1);
      }
      assert(Math.max(...hits.values()) - Math.min(...hits.values()) <= 1, JSON.stringify([...hits]));
    }));
  });

  it("kill nothing but one component where there is but one, and the others live", () => {
    const all = steps(new Choices(1), ["a"], { othersLive: true });
    const kinds = Array.from({ length: 1000 }, () => all.next().value.blow)
      .map((blow) => blow.kind === "components" ? blow.names.join() : blow.kind);
    assertEquals([...new Set(kinds)].sort(), ["a", "alarm"]);
  });

  it("hold one, several, the supervisor, everything and the alarm", () => {
    const kinds = new Set(first(2000, 1).map(({ blow }) => blow.kind + (victims(blow).length > 1 ? "s" : "")));
    assertEquals([...kinds].sort(), ["alarm", "components", "componentss", "everything", "supervisor"]);
  });
});
