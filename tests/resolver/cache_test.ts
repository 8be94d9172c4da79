import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { AnswerCache, entryOctets, keyOf, recordOctets } from "../../components/resolver/cache.ts";
import type { Answer } from "../../components/resolver/lookup.ts";

function answer(value: string, ttlSeconds: number, status: Answer["reply"]["status"] = "ok"): Answer {
  return { reply: { status, authenticated: false, records: status === "ok" ? [{ value }] : [] }, ttlSeconds };
}

const day = 86_400;

describe("AnswerCache", () => {
  const rows = [
    { claim: "keeps an answer until its TTL is over", given: answer("x", 60), keptSeconds: 60 },
    { claim: "keeps no answer longer than a day", given: answer("x", 7 * day), keptSeconds: day },
    { claim: "keeps no answer of TTL 0", given: answer("x", 0), keptSeconds: 0 },
    { claim: "keeps NXDOMAIN no longer than an hour", given: answer("", day, "nxdomain"), keptSeconds: 3600 },
    { claim: "keeps NODATA as its SOA says", given: answer("", 30, "nodata"), keptSeconds: 30 },
    { claim: "keeps a temporary answer as long as it says", given: answer("", 5, "temporary"), keptSeconds: 5 },
  ];
  for (const { claim, given, keptSeconds } of rows) {
    it(claim, () => {
      const cache = new AnswerCache();
      cache.put("A b.example", given, 1000);
      assertEquals(cache.get("A b.example", 1000 + keptSeconds * 1000), undefined);
      cache.put("A b.example", given, 1000);
      if (keptSeconds > 0) assertEquals(cache.get("A b.example", 999 + keptSeconds * 1000), given.reply);
    });
  }

  it("keeps types apart", () => {
    assert(keyOf({ name: "b.example", type: "A" }) !== keyOf({ name: "b.example", type: "AAAA" }));
  });

  it("forgets first what was asked for the longest ago", () => {
    const cache = new AnswerCache({ entries: 2, octets: 1e6 });
    cache.put("A a", answer("1", 60), 0);
    cache.put("A b", answer("2", 60), 0);
    cache.get("A a", 1);
    cache.put("A c", answer("3", 60), 2);
    assertEquals(["A a", "A b", "A c"].map((key) => cache.get(key, 3) !== undefined), [true, false, true]);
  });

  it("puts a new answer in the place of the old one", () => {
    const cache = new AnswerCache();
    cache.put("A a", answer("1", 60), 0);
    cache.put("A a", answer("2", 60), 0);
    assertEquals(cache.get("A a", 1)?.records, [{ value: "2" }]);
    assertEquals(cache.size, 1);
  });

  it("forgets the old answer when the new one may not be kept", () => {
    const cache = new AnswerCache();
    cache.put("A a", answer("1", 60), 0);
    cache.put("A a", answer("2", 0), 0);
    assertEquals(cache.get("A a", 1), undefined);
  });

  it("holds no more octets than it may, were it for a single answer", () => {
    const cache = new AnswerCache({ entries: 100, octets: 2 * (entryOctets + recordOctets + 100) });
    cache.put("A a", answer("x".repeat(90), 60), 0);
    cache.put("A b", answer("x".repeat(90), 60), 0);
    assertEquals(cache.size, 2);
    cache.put("A c", answer("x".repeat(200), 60), 0);
    assertEquals(cache.size, 1);
    cache.put("A d", answer("x".repeat(2000), 60), 0);
    assertEquals(cache.size, 0);
  });

  it("clear() forgets all", () => {
    const cache = new AnswerCache();
    cache.put("A a", answer("1", 60), 0);
    cache.clear();
    assertEquals(cache.get("A a", 1), undefined);
  });

  it("never exceeds its limits, nor answers what was not put last", () => {
    const step = fc.record({ key: fc.nat(20), length: fc.nat(300), ttl: fc.nat(4), waitMs: fc.nat(1000) });
    fc.assert(fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const cache = new AnswerCache({ entries: 5, octets: 2000 });
      const last = new Map<string, Answer>();
      let now = 0;
      for (const { key, length, ttl, waitMs } of steps) {
        now += waitMs;
        const put = answer("x".repeat(length), ttl);
        cache.put(`A ${key}`, put, now);
        last.set(`A ${key}`, put);
        assert(cache.size <= 5);
        for (const [name, its] of last) {
          const found = cache.get(name, now);
          assert(found === undefined || found === its.reply);
        }
      }
    }));
  });
});
