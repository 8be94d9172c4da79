import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { formatTick, roundStep, scaleFor, type Spread } from "../../../../scripts/bench/html/scale.ts";

describe("scaleFor()", () => {
  const rows: { spread: Spread; values: number[]; ticks: number[] }[] = [
    { spread: "linear", values: [3, 97], ticks: [0, 20, 40, 60, 80, 100] },
    { spread: "linear", values: [100], ticks: [0, 20, 40, 60, 80, 100] },
    { spread: "linear", values: [0.31], ticks: [0, 0.1, 0.2, 0.3, 0.4] },
    { spread: "linear", values: [], ticks: [0, 1] },
    { spread: "linear", values: [0, 0], ticks: [0, 1] },
    { spread: "log", values: [3, 900], ticks: [1, 10, 100, 1000] },
    { spread: "log", values: [1, 1_000], ticks: [1, 10, 100, 1000] },
    { spread: "log", values: [0.02, 0], ticks: [0.01, 0.1] },
    { spread: "log", values: [10], ticks: [10, 100] },
    { spread: "log", values: [], ticks: [1, 10] },
  ];
  for (const { spread, values, ticks } of rows) {
    it(`has the ticks ${ticks} for ${spread} [${values}]`, () => assertEquals(scaleFor(values, spread).ticks, ticks));
  }

  it("places the first tick at 0 and the last at 1, the others as the spread says", () => {
    assertEquals([0, 50, 100].map(scaleFor([100], "linear").place), [0, 0.5, 1]);
    assertEquals([1, 10, 100].map(scaleFor([1, 100], "log").place), [0, 0.5, 1]);
  });

  it("holds what lies outside at the ends", () => {
    assertEquals([-5, 200].map(scaleFor([100], "linear").place), [0, 1]);
    assertEquals([0, 1e9].map(scaleFor([1, 100], "log").place), [0, 1]);
  });
});

describe("roundStep()", () => {
  for (const [least, want] of [[1, 1], [1.1, 2], [3, 5], [7, 10], [0.03, 0.05], [400, 500]] as const) {
    it(`of ${least} is ${want}`, () => assertEquals(roundStep(least), want));
  }
});

describe("formatTick()", () => {
  for (const [value, want] of [[0.1, "0.1"], [5000, "5000"], [20_000, "20k"], [1e6, "1M"], [2.5e6, "2.5M"]] as const) {
    it(`of ${value} is ${want}`, () => assertEquals(formatTick(value), want));
  }
});
