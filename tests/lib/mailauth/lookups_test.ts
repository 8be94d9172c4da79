import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Lookups } from "../../../components/lib/mailauth/lookups.ts";
import type { ResolveReply } from "../../../components/lib/wire/resolver_protocol.ts";
import { resolverOf } from "./zone.ts";

const never = new AbortController().signal;

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await assertRejects(() => promise);
  return (error as { readonly code?: unknown }).code;
}

describe("Lookups", () => {
  const { resolve } = resolverOf({
    "a.example A": ["192.0.2.1", "192.0.2.2"],
    "a.example TXT": ["one two"],
    "a.example MX": ["10 b.example"],
    "s.example A": "silent",
  });
  const share = () => new Lookups({ resolve, most: 10, signal: never }).share(10);

  it("gives records in the forms of node:dns", async () => {
    assertEquals(await share()("a.example", "A"), ["192.0.2.1", "192.0.2.2"]);
    assertEquals(await share()("a.example", "TXT"), [["one two"]]);
    assertEquals(await share()("a.example", "MX"), [{ exchange: "b.example", priority: 10 }]);
  });

  it("gives the absence of records by the codes of node:dns", async () => {
    assertEquals(await codeOf(share()("a.example", "AAAA")), "ENODATA");
    assertEquals(await codeOf(share()("b.example", "A")), "ENOTFOUND");
    assertEquals(await codeOf(share()("s.example", "A")), "ETIMEOUT");
    assertEquals(await codeOf(share()("a.example", "NAPTR")), "ENODATA");
    assertEquals(await codeOf(share()(`${"a".repeat(64)}.example`, "A")), "ENOTFOUND");
  });

  it("stops at a share's number, and at the message's", async () => {
    const lookups = new Lookups({ resolve, most: 3, signal: never });
    const [first, second] = [lookups.share(2), lookups.share(2)];
    await first("a.example", "A");
    await first("a.example", "TXT");
    assertEquals(await codeOf(first("a.example", "MX")), "ETOOMANY");
    // What was asked before costs nothing.
    await second("a.example", "TXT");
    await second("a.example", "MX");
    assertEquals(await codeOf(second("s.example", "A")), "ETOOMANY");
    assertEquals(lookups.count, 3);
  });

  it("answers ETIMEOUT once the message's time is over, also to who waits already", async () => {
    const over = new AbortController();
    const lookups = new Lookups({
      resolve: () => Promise.withResolvers<ResolveReply>().promise,
      most: 10,
      signal: over.signal,
    });
    const waiting = lookups.share(10)("a.example", "A");
    over.abort();
    assertEquals(await codeOf(waiting), "ETIMEOUT");
    assertEquals(await codeOf(lookups.share(10)("b.example", "A")), "ETIMEOUT");
  });

  it("answers ETIMEOUT when the time was over from the start", async () => {
    const lookups = new Lookups({ resolve, most: 10, signal: AbortSignal.abort() });
    assertEquals(await codeOf(lookups.share(10)("s.example", "A")), "ETIMEOUT");
  });
});
