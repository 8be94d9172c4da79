import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  Destination,
  Destinations,
  firstWindow,
  mostForOne,
  mostForUnreachable,
  mostLearnt,
} from "../../components/qmail-send/destinations.ts";
import type { Outcome } from "../../components/qmail-send/outcome.ts";

const outcomes: readonly Outcome[] = ["answered", "unreachable", "unknown"];

describe("what destinations may have", () => {
  const rows = [
    { limit: 0, one: 1, unreachable: 1 },
    { limit: 1, one: 1, unreachable: 1 },
    { limit: 2, one: 1, unreachable: 1 },
    { limit: 4, one: 3, unreachable: 2 },
    { limit: 20, one: 15, unreachable: 10 },
    { limit: 255, one: 191, unreachable: 127 },
  ];
  for (const { limit, one, unreachable } of rows) {
    it(`is ${one} for one and ${unreachable} for the unreachable ones of ${limit} slots`, () => {
      assertEquals([mostForOne(limit), mostForUnreachable(limit)], [one, unreachable]);
    });
  }
});

describe("Destination", () => {
  const stranger = (window = firstWindow) => new Destination("x", { window, unreachable: false }, false);
  const teach = (destination: Destination<unknown>, outcome: Outcome, times: number, most = 100) => {
    for (let n = 0; n < times; n++) destination.learn(outcome, destination.halvings, most);
    return destination.window;
  };

  it("grows by one for each full window of answers", () => {
    const destination = stranger();
    assertEquals([4, 1, 5, 1, 7].map((answers) => teach(destination, "answered", answers)), [5, 6, 6, 7, 8]);
  });

  it("halves its window when it cannot be reached, down to one", () => {
    const destination = stranger(20);
    assertEquals([1, 1, 1, 1, 1].map((times) => teach(destination, "unreachable", times)), [10, 5, 2, 1, 1]);
  });

  it("halves it once for all deliveries that were under way", () => {
    const destination = stranger(20);
    for (let n = 0; n < 20; n++) destination.learn("unreachable", 0, 100);
    assertEquals(destination.window, 10);
    destination.learn("unreachable", 1, 100);
    assertEquals(destination.window, 5);
  });

  it("is unreachable from a failure to reach it to the next answer, old deliveries included", () => {
    const destination = stranger();
    const seen = (["unreachable", "unknown", "answered", "unreachable"] as const).map((outcome) => {
      destination.learn(outcome, 0, 100);
      return destination.unreachable;
    });
    assertEquals(seen, [true, true, false, true]);
  });

  it("halves what it may have, not what it once had", () => assertEquals(teach(stranger(40), "unreachable", 1, 8), 4));

  it("keeps its window between one and the most one destination may have", () => {
    const anySteps = fc.array(fc.tuple(fc.constantFrom(...outcomes), fc.nat(3)), { maxLength: 200 });
    fc.assert(fc.property(fc.integer({ min: 1, max: 12 }), anySteps, (most, steps) => {
      const destination = stranger(Math.min(firstWindow, most));
      for (const [outcome, age] of steps) {
        const before = destination.window;
        destination.learn(outcome, Math.max(0, destination.halvings - age), most);
        assert(destination.window >= 1 && destination.window <= most);
        assert(destination.window <= before + 1 && destination.window >= Math.floor(before / 2));
        if (outcome === "unknown") assertEquals(destination.window, before);
      }
    }));
  });
});

describe("Destinations", () => {
  /** Opens and closes a destination; `learn` is what is heard of it. */
  const visit = (destinations: Destinations<unknown>, name: string, learn: readonly Outcome[] = []) => {
    const destination = destinations.open(name);
    const { window, unreachable } = destination;
    for (const outcome of learn) destination.learn(outcome, destination.halvings, 100);
    destinations.close(destination);
    return { window, unreachable };
  };

  it("remembers what it learnt while a destination has no deliveries", () => {
    const destinations = new Destinations(5);
    visit(destinations, "x", ["unreachable"]);
    visit(destinations, "__proto__", ["answered", "answered", "answered", "answered", "answered"]);
    assertEquals(visit(destinations, "x"), { window: 2, unreachable: true });
    assertEquals(visit(destinations, "x", ["answered"]), { window: 2, unreachable: true });
    assertEquals(visit(destinations, "x"), { window: 2, unreachable: false });
    assertEquals(visit(destinations, "__proto__"), { window: 6, unreachable: false });
    assertEquals(visit(destinations, "y"), { window: 5, unreachable: false });
  });

  it("remembers nothing of one that is back where strangers begin", () => {
    const destinations = new Destinations(5);
    visit(destinations, "x", ["unreachable"]);
    visit(destinations, "x", Array<Outcome>(9).fill("answered"));
    assertEquals(visit(destinations, "x"), { window: 5, unreachable: false });
  });

  it("remembers ten thousand, and forgets those first that were used least recently", () => {
    const destinations = new Destinations(5);
    for (let n = 0; n < mostLearnt; n++) visit(destinations, `${n}`, ["unreachable"]);
    visit(destinations, "0");
    visit(destinations, "one more", ["unreachable"]);
    const known = (name: string) => {
      const destination = destinations.open(name);
      return destination.unreachable;
    };
    assertEquals(["1", "0", "one more", `${mostLearnt - 1}`].map(known), [false, true, true, true]);
    let kept = 0;
    for (let n = 0; n < mostLearnt; n++) if (known(`${n}`)) kept++;
    assert(kept < mostLearnt && kept >= mostLearnt * 0.9 - 1, `${kept}`);
  });

  it("shows the busiest first, and no more than are asked for", () => {
    const destinations = new Destinations(5);
    const load: readonly (readonly [string, number, number])[] = [["a", 0, 9], ["b", 2, 0], ["c", 2, 7], ["d", 0, 10]];
    for (const [name, running, waiting] of load) Object.assign(destinations.open(name), { running, waiting });
    assertEquals([0, 2, 9].map((count) => destinations.view(count, 3).map(({ name }) => name).join("")), [
      "",
      "cb",
      "cbda",
    ]);
    assertEquals(destinations.view(1, 3), [
      { name: "c", running: 2, waiting: 7, window: 3, unreachable: false, paused: false },
    ]);
  });
});
