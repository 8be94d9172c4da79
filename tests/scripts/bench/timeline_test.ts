import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { addMark, type Mark, timelineOf } from "../../../scripts/bench/timeline.ts";

describe("timelineOf()", () => {
  it("counts what ended in each step, and its latencies", () => {
    const ended = [[5, 2], [9, 4], [15, 30], [31, 1]].map(([atMs = 0, latencyMs = 0]) => ({ atMs, latencyMs }));
    assertEquals(timelineOf(ended), { stepMs: 10, accepted: [2, 1, 0, 1], p50: [2, 30, 0, 1], p99: [4, 30, 0, 1] });
  });

  const rows: { lastMs: number; stepMs: number; steps: number }[] = [
    { lastMs: 400, stepMs: 10, steps: 41 },
    { lastMs: 401, stepMs: 20, steps: 21 },
    { lastMs: 1_900, stepMs: 50, steps: 39 },
    { lastMs: 40_000, stepMs: 1000, steps: 41 },
  ];
  for (const { lastMs, stepMs, steps } of rows) {
    it(`cuts ${lastMs} ms into steps of ${stepMs}`, () => {
      const timeline = timelineOf([{ atMs: lastMs, latencyMs: 1 }]);
      assertEquals([timeline.stepMs, timeline.accepted.length, timeline.accepted.at(-1)], [stepMs, steps, 1]);
    });
  }

  it("has no steps where nothing was accepted", () => assertEquals(timelineOf([]).accepted, []));
});

describe("addMark()", () => {
  it("takes marks that follow each other closely as one, but keeps the first and the last", () => {
    const marks: Mark[] = [];
    for (const [atMs, count] of [[0, 1], [10, 2], [20, 3], [30, 4], [100, 5]] as const) addMark(marks, atMs, count);
    assertEquals(marks, [[0, 1], [20, 3], [30, 4], [100, 5]]);
  });
});
