import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import { MailboxCache } from "../../../components/lib/server/mailbox_cache.ts";

describe("MailboxCache", () => {
  const rows = [
    { claim: "knows a mailbox for a second", address: "amy@a.example", atMs: 1999, want: true },
    { claim: "and no longer", address: "amy@a.example", atMs: 2000, want: false },
    { claim: "knows no other", address: "Amy@a.example", atMs: 1000, want: false },
  ];
  for (const { claim, address, atMs, want } of rows) {
    it(claim, () => {
      const cache = new MailboxCache();
      cache.add("amy@a.example", 1000);
      assertEquals(cache.has(address, atMs), want);
    });
  }

  it("begins anew rather than grow without end", () => {
    const cache = new MailboxCache();
    for (let n = 0; n <= 10_000; n++) cache.add(`u${n}@a.example`, 1000);
    assert(!cache.has("u0@a.example", 1001));
    assert(cache.has("u10000@a.example", 1001));
  });
});
