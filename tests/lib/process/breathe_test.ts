import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { breatheInSlices } from "../../../components/lib/process/breathe.ts";

describe("breatheInSlices()", () => {
  it("pauses where the work since the last pause has filled a slice, and only there", async () => {
    let nowMs = 1000;
    let pauses = 0;
    const breathe = breatheInSlices(() => Promise.resolve(void pauses++), () => nowMs);
    const seen: number[] = [];
    for (let piece = 0; piece < 9; piece++) {
      nowMs++;
      await breathe();
      seen.push(pauses);
    }
    assertEquals(seen, [0, 0, 0, 1, 1, 1, 1, 2, 2]);
  });
});
