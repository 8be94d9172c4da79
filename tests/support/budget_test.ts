import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertThrows } from "@std/assert";
import { assertBudget, Tally } from "./budget.ts";

describe("assertBudget()", () => {
  const budget = { "writes": 2, "octets": { most: 100 } };

  it("takes counts that are what the budget says, and less of what has only a limit", () => {
    assertBudget("a message", { writes: 2, octets: 100 }, budget);
    assertBudget("a message", { writes: 2 }, budget);
  });

  const rows = [
    { counts: { writes: 3 }, want: "writes rose from 2 to 3: look in outbox.ts" },
    { counts: { writes: 2, octets: 101 }, want: "octets rose from 100 to 101" },
    { counts: { writes: 2, syncs: 1 }, want: "syncs rose from 0 to 1" },
    {
      counts: { writes: 1 },
      want: "writes fell from 2 to 1: lower the budget at the head of this test, to keep it so",
    },
  ];
  for (const { counts, want } of rows) {
    it(`says: ${want}`, () => {
      const error = assertThrows(() => assertBudget("a message", counts, budget, { writes: "outbox.ts" })) as Error;
      assertEquals(error.message, `the budget of a message does not fit:\n  ${want}`);
    });
  }
});

describe("Tally.since()", () => {
  it("is what came to the counts, without what did not", () => {
    const tally = new Tally();
    tally.add("writes", 2);
    tally.add("reads");
    const before = tally.now();
    tally.add("writes");
    tally.add("syncs");
    assertEquals(tally.since(before), { writes: 1, syncs: 1 });
  });
});
