import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Counts } from "../../components/tally/counts.ts";

/** [when in seconds, how many, what is to be heard: "ok" or the seconds until the next try]. */
type Step = readonly [number, number, "ok" | number];

const rows: { claim: string; limit: number; perSeconds: number; steps: readonly Step[] }[] = [
  {
    claim: "lets as many through as the limit says, and the next one when the window has moved on far enough",
    limit: 3,
    perSeconds: 60,
    // The three of the first minute weigh less and less: two of them at a third of the second one.
    steps: [[0, 1, "ok"], [10, 1, "ok"], [20, 1, "ok"], [30, 1, 50], [59, 1, 21], [79, 1, 1], [80, 1, "ok"], [
      81,
      1,
      19,
    ]],
  },
  {
    claim: "takes an amount as a whole or not at all",
    limit: 10,
    perSeconds: 60,
    steps: [[0, 6, "ok"], [1, 5, 69], [1, 4, "ok"]],
  },
  { claim: "takes nothing where the limit is 0", limit: 0, perSeconds: 60, steps: [[0, 1, 120], [300, 1, 120]] },
  { claim: "never takes more at once than the limit", limit: 5, perSeconds: 10, steps: [[0, 6, 20], [3, 5, "ok"]] },
  {
    claim: "has forgotten all after two lengths of time",
    limit: 2,
    perSeconds: 10,
    steps: [[9, 2, "ok"], [20, 2, "ok"]],
  },
  {
    claim: "weighs the time before by what the window still has of it",
    limit: 100,
    perSeconds: 100,
    steps: [[99, 100, "ok"], [150, 50, "ok"], [150, 1, 1]],
  },
  {
    claim: "does not count what was over",
    limit: 1,
    perSeconds: 10,
    steps: [[0, 1, "ok"], [5, 1, 15], [19, 1, 1], [20, 1, "ok"]],
  },
];

describe("Counts", () => {
  for (const { claim, limit, perSeconds, steps } of rows) {
    it(claim, () => {
      const counts = new Counts();
      for (const [atSeconds, by, want] of steps) {
        const reply = counts.count({ key: "k", limit, perSeconds, by }, atSeconds * 1000);
        assertEquals(reply, want === "ok" ? { kind: "within" } : { kind: "over", retrySeconds: want });
      }
    });
  }

  it("keeps keys, and lengths of time of one key, apart", () => {
    const counts = new Counts();
    const limits = [["a", 10], ["b", 10], ["a", 20], ["__proto__", 10], ["constructor", 10], ["0 a", 1]] as const;
    for (const [key, perSeconds] of limits) {
      assertEquals(counts.count({ key, limit: 1, perSeconds, by: 1 }, 0).kind, "within");
      assertEquals(counts.count({ key, limit: 1, perSeconds, by: 1 }, 0).kind, "over");
    }
    assertEquals(counts.size, limits.length);
  });

  const asking = fc.record({
    limit: fc.integer({ min: 1, max: 20 }),
    perSeconds: fc.integer({ min: 1, max: 100 }),
    asks: fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 30_000 }), by: fc.integer({ min: 1, max: 5 }) }), {
      maxLength: 60,
    }),
  });

  it("never lets more than twice the limit into any window", () => {
    fc.assert(fc.property(asking, ({ limit, perSeconds, asks }) => {
      const counts = new Counts();
      const taken: { atMs: number; by: number }[] = [];
      let atMs = 0;
      for (const { afterMs, by } of asks) {
        atMs += afterMs;
        if (counts.count({ key: "k", limit, perSeconds, by }, atMs).kind === "within") taken.push({ atMs, by });
      }
      for (const { atMs: from } of taken) {
        const inWindow = taken.filter((one) => one.atMs >= from && one.atMs < from + perSeconds * 1000);
        assert(inWindow.reduce((sum, { by }) => sum + by, 0) <= 2 * limit);
      }
    }));
  });

  it("lets through what comes back when it was told to, where it fits at all", () => {
    fc.assert(fc.property(asking, ({ limit, perSeconds, asks }) => {
      const counts = new Counts();
      let atMs = 0;
      for (const { afterMs, by } of asks) {
        atMs += afterMs;
        const count = { key: "k", limit, perSeconds, by };
        const reply = counts.count(count, atMs);
        if (reply.kind === "within" || by > limit) continue;
        atMs += reply.retrySeconds * 1000;
        assertEquals(counts.count(count, atMs).kind, "within");
      }
    }));
  });

  it("never refuses what stays one below the limit in an even stream", () => {
    fc.assert(fc.property(fc.integer({ min: 2, max: 50 }), fc.integer({ min: 1, max: 100 }), (limit, perSeconds) => {
      const counts = new Counts();
      const stepMs = Math.ceil(perSeconds * 1000 / (limit - 1)) + 1;
      for (let at = 0; at < 5 * limit; at++) {
        assertEquals(counts.count({ key: "k", limit, perSeconds, by: 1 }, at * stepMs).kind, "within");
      }
    }));
  });

  it("holds no more keys than it may, and forgets the one that was not asked for the longest", () => {
    const counts = new Counts(3);
    const count = (key: string) => counts.count({ key, limit: 1, perSeconds: 60, by: 1 }, 0).kind;
    for (const key of ["a", "b", "c"]) assertEquals(count(key), "within");
    assertEquals(count("a"), "over");
    assertEquals(count("d"), "within");
    assertEquals(counts.size, 3);
    assertEquals(["a", "c", "d"].map(count), ["over", "over", "over"]);
    assertEquals(count("b"), "within");
  });

  it("stays within its bound under more keys than it may hold", () => {
    const counts = new Counts();
    for (let n = 0; n < 300_000; n++) counts.count({ key: `client ${n}`, limit: 1, perSeconds: 3600, by: 1 }, n);
    assertEquals(counts.size, 200_000);
  });
});
