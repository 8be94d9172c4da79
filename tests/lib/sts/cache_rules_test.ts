import { describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import {
  isFetchDue,
  type KnownPolicy,
  leftSeconds,
  refreshAtSeconds,
  retrySeconds,
  validPolicy,
} from "../../../components/lib/sts/cache_rules.ts";

const known: KnownPolicy = {
  id: "1",
  policy: { mode: "enforce", mx: ["mx.example"], maxAgeSeconds: 1000 },
  fetchedSeconds: 5000,
};

describe("the rules of the policy cache (RFC 8461 §3.3)", () => {
  it("hold a policy valid for its max_age, not longer, whatever the clock does", () => {
    assertEquals([5000, 5999, 6000, 1_000_000, 0].map((now) => leftSeconds(known, now)), [1000, 1, 0, 0, 1000]);
    assertEquals(validPolicy(known, 6000), undefined);
    assertEquals(validPolicy(undefined, 0), undefined);
  });

  const id = (id: string) => ({ kind: "id", id }) as const;
  const failed = { id: "2", times: 1, atSeconds: 5100 };
  const rows = [
    { why: "nothing is known", known: undefined, lookup: id("1"), failed: undefined, now: 5100, want: true },
    { why: "the id is the same", known, lookup: id("1"), failed: undefined, now: 5100, want: false },
    { why: "the id has changed", known, lookup: id("2"), failed: undefined, now: 5100, want: true },
    { why: "the policy is over", known, lookup: id("1"), failed: undefined, now: 6000, want: true },
    { why: "there is no record", known: undefined, lookup: { kind: "none" }, failed: undefined, now: 0, want: false },
    { why: "the DNS says nothing", known, lookup: { kind: "temporary" }, failed: undefined, now: 9999, want: false },
    { why: "it failed a moment ago", known, lookup: id("2"), failed, now: 5399, want: false },
    { why: "it failed 5 minutes ago", known, lookup: id("2"), failed, now: 5400, want: true },
    { why: "it failed, and the id is new again", known, lookup: id("3"), failed, now: 5101, want: true },
  ] as const;
  for (const { why, known, lookup, failed, now, want } of rows) {
    it(`${want ? "ask" : "do not ask"} for a fetch where ${why}`, () => {
      assertEquals(isFetchDue(known, lookup, failed, now), want);
    });
  }

  it("ask less and less where fetches fail, up to once in an hour", () => {
    const waits = [1, 2, 3, 4, 5, 50].map((times) => retrySeconds({ id: "1", times, atSeconds: 0 }));
    assertEquals(waits, [300, 600, 1200, 2400, 3600, 3600]);
  });

  it("refresh after half of a policy's time, after a day at the latest", () => {
    assertEquals(refreshAtSeconds(known), 5500);
    assertEquals(refreshAtSeconds({ ...known, policy: { ...known.policy, maxAgeSeconds: 31_557_600 } }), 91_400);
  });
});
