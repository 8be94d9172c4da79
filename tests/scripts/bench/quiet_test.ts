import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { parseMachineTime, settle } from "../../../scripts/bench/quiet.ts";

describe("parseMachineTime()", () => {
  it("counts neither idle nor waiting time as busy, and guests only once", () => {
    const text = "cpu  100 10 50 1000 40 5 6 7 80 9\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
    assertEquals(parseMachineTime(text), { busy: 178, total: 1218 });
  });
});

describe("settle()", () => {
  it("does not wait when no time is given", async () => assertEquals(await settle(0), false));
});
