/**
 * A run of the crash harness, short enough for every run of the tests: components, several of them, and all of them with
 * the supervisor are killed under a stream of mail. `deno task crash` is the long one.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { run } from "../crash/harness.ts";

/** A seed that has all of it: one, several, the supervisor alone, everything. */
const [kills, seed] = [60, 50];

describe("survival", () => {
  it(`every message answered 250 arrives or bounces though processes are killed at any moment (${kills} kills)`, async () => {
    const { totals, findings } = await run({ kills, seed, every: kills, keep: false, print: console.log });
    assertEquals(findings, []);
    assert(totals.accepted > 0 && totals.bounces > 0, "a load worth the name");
  });
});
