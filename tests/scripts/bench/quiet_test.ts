import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { parseMachineTime, parseWritten, settle } from "../../../scripts/bench/quiet.ts";

describe("parseMachineTime()", () => {
  it("counts neither idle nor waiting time as busy, and guests only once", () => {
    const text = "cpu  100 10 50 1000 40 5 6 7 80 9\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
    assertEquals(parseMachineTime(text), { busy: 178, total: 1218 });
  });
});

describe("parseWritten()", () => {
  it("finds what was written to disks, in KiB", () => {
    assertEquals(parseWritten("nr_dirty 12\npgpgin 345\npgpgout 993057648\npgpgoutrun 7\n"), 993_057_648);
    assertEquals(parseWritten("nr_dirty 12\n"), 0);
  });
});

describe("settle()", () => {
  it("does not wait when no time is given", async () => assertEquals(await settle(0), false));
});
