import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { Rests } from "../../../components/lib/process/rests.ts";
import { waitFor } from "../../support/wait.ts";

const aTurn = () => Promise.resolve();
/** Longer than any test. */
const veryLongMs = 1e6;

describe("Rests", () => {
  it("runs once for all of a turn, at its end", async () => {
    let runs = 0;
    const rests = new Rests(veryLongMs, () => runs++);
    for (let n = 0; n < 3; n++) rests.ask();
    assertEquals(runs, 0);
    await aTurn();
    assertEquals(runs, 1);
    rests.now();
    assertEquals(runs, 1);
  });

  it("runs when it is let, where that is not the turn's end", async () => {
    let runs = 0;
    let letIt = () => {};
    const rests = new Rests(veryLongMs, () => runs++, (run) => letIt = run);
    rests.ask();
    await aTurn();
    assertEquals(runs, 0);
    letIt();
    assertEquals(runs, 1);
  });

  it("rests before it runs again, and runs once for all who have asked meanwhile", async () => {
    let runs = 0;
    const rests = new Rests(veryLongMs, () => runs++);
    rests.ask();
    await aTurn();
    for (let n = 0; n < 3; n++) rests.ask();
    await aTurn();
    assertEquals(runs, 1);
    rests.now();
    assertEquals(runs, 2);
    rests.now();
    assertEquals(runs, 2);
  });

  it("runs by itself when the rest is over", async () => {
    let runs = 0;
    const rests = new Rests(1, () => runs++);
    for (const want of [1, 2, 3]) {
      rests.ask();
      await waitFor(() => runs === want, `run ${want}`);
    }
  });
});
