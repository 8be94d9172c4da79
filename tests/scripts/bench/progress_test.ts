import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { formatProgress } from "../../../scripts/bench/progress.ts";

describe("formatProgress()", () => {
  const rows = [
    { done: 0, total: 8, want: "making: 0 of 8 (0 %)" },
    { done: 999, total: 1000, want: "making: 999 of 1000 (99 %)" },
    { done: 0, total: 0, want: "making: 0 of 0 (100 %)" },
  ];
  for (const { done, total, want } of rows) {
    it(`says ${want}`, () => assertEquals(formatProgress("making", done, total), want));
  }
});
