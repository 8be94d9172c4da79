import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { latencyOf, percentile, summarize } from "../../../scripts/bench/statistics.ts";

const hundred = Array.from({ length: 100 }, (_, at) => at + 1);

describe("percentile()", () => {
  const rows: { values: number[]; percent: number; want: number }[] = [
    { values: [], percent: 50, want: 0 },
    { values: [7], percent: 0, want: 7 },
    { values: [7], percent: 99, want: 7 },
    { values: [1, 2], percent: 50, want: 1 },
    { values: [1, 2], percent: 51, want: 2 },
    { values: [1, 2, 3, 4], percent: 75, want: 3 },
    { values: hundred, percent: 50, want: 50 },
    { values: hundred, percent: 95, want: 95 },
    { values: hundred, percent: 99, want: 99 },
    { values: hundred, percent: 100, want: 100 },
  ];
  for (const { values, percent, want } of rows) {
    it(`answers ${want} for ${percent} % of ${values.length} values`, () => {
      assertEquals(percentile(values, percent), want);
    });
  }
});

describe("latencyOf()", () => {
  it("sorts by value, not by text", () => {
    assertEquals(latencyOf([100, 9, 20]), { p50: 20, p95: 100, p99: 100, max: 100 });
  });

  it("is zero when nothing was accepted", () => {
    assertEquals(latencyOf([]), { p50: 0, p95: 0, p99: 0, max: 0 });
  });
});

describe("summarize()", () => {
  const rows: { values: number[]; want: ReturnType<typeof summarize> }[] = [
    { values: [], want: undefined },
    { values: [5], want: { median: 5, min: 5, max: 5 } },
    { values: [10, 9, 100], want: { median: 10, min: 9, max: 100 } },
    { values: [1, 2, 3, 10], want: { median: 2.5, min: 1, max: 10 } },
  ];
  for (const { values, want } of rows) {
    it(`of [${values}] is ${JSON.stringify(want)}`, () => assertEquals(summarize(values), want));
  }
});
