import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { hashBytes, hashOf, networkOf, tripletOf } from "../../components/tally/triplet.ts";

describe("networkOf()", () => {
  const rows: { ips: readonly string[]; why: string; same: boolean }[] = [
    { ips: ["192.0.2.1", "192.0.2.254"], why: "addresses of one /24", same: true },
    { ips: ["192.0.2.1", "192.0.3.1"], why: "addresses of two /24", same: false },
    { ips: ["192.0.2.1", "::ffff:192.0.2.9"], why: "an IPv4 address and one mapped into IPv6", same: true },
    { ips: ["2001:db8::1", "2001:db8:0:0:ffff:ffff:ffff:ffff"], why: "addresses of one /64", same: true },
    { ips: ["2001:DB8::1", "2001:db8::2"], why: "two spellings of one /64", same: true },
    { ips: ["2001:db8::1", "2001:db8:0:1::1"], why: "addresses of two /64", same: false },
    { ips: ["0.0.0.1", "::1"], why: "IPv4's and IPv6's zeros", same: false },
    { ips: ["unknown", "unknown"], why: "clients without an address", same: true },
    { ips: ["unknown", "192.0.2.1"], why: "one with and one without", same: false },
  ];
  for (const { ips: [one, other], why, same } of rows) {
    it(`${same ? "is one" : "are two"} for ${why}`, () => {
      if (same) assertEquals(networkOf(one!), networkOf(other!));
      else assertNotEquals(networkOf(one!), networkOf(other!));
    });
  }
});

describe("tripletOf()", () => {
  const base = { ip: "192.0.2.1", sender: "Amy@a.example", recipient: "bob@b.example" };
  const rows: { change: Partial<typeof base>; why: string; same: boolean }[] = [
    { change: { ip: "192.0.2.77" }, why: "another address of the network", same: true },
    { change: { sender: "Amy@A.EXAMPLE" }, why: "another case of the sender's domain", same: true },
    { change: { recipient: "bob@B.example" }, why: "another case of the recipient's domain", same: true },
    { change: { ip: "192.0.7.1" }, why: "another network", same: false },
    { change: { sender: "amy@a.example" }, why: "another case of the local part", same: false },
    { change: { sender: "Amy+tag@a.example" }, why: "a tag behind a plus", same: false },
    {
      change: { sender: "list-return-2-bob=b.example@a.example" },
      why: "a sender made for the recipient",
      same: false,
    },
    { change: { sender: "" }, why: "the null sender", same: false },
    { change: { recipient: "\xff@b.example" }, why: "octets that are no UTF-8", same: false },
    {
      change: { sender: base.recipient, recipient: base.sender },
      why: "sender and recipient changed about",
      same: false,
    },
  ];
  for (const { change, why, same } of rows) {
    it(`is ${same ? "the same" : "another"} for ${why}`, () => {
      assertEquals(tripletOf({ ...base, ...change }).key === tripletOf(base).key, same);
    });
  }

  it("keeps the case of an address without a domain", () => {
    assertNotEquals(tripletOf({ ...base, sender: "AMY" }).key, tripletOf({ ...base, sender: "amy" }).key);
  });

  it("has keys of one length, whatever octets there are, and never throws", () => {
    const octets = fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)) });
    fc.assert(fc.property(fc.string({ maxLength: 64 }), octets, octets, (ip, sender, recipient) => {
      const { key, network } = tripletOf({ ip, sender, recipient });
      for (const hash of [key, network]) {
        assertEquals(hash.length, hashBytes);
        assert([...hash].every((octet) => octet.charCodeAt(0) < 256));
      }
    }));
  });
});

describe("hashOf()", () => {
  it("tells apart where parts end", () => {
    const parts = [["ab", ""], ["a", "b"], ["", "ab"], ["ab"], ["a", "", "b"], ["2 ab"], ["1 a1 b"]];
    assertEquals(new Set(parts.map((each) => hashOf(...each))).size, parts.length);
  });
});
