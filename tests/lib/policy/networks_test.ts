import { describe, it } from "@std/testing/bdd";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { clientAddress, listedName, networkOf, NetworkSet } from "../../../components/lib/policy/networks.ts";

describe("clientAddress()", () => {
  const rows: [string | undefined, string][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:201", "192.0.2.1"],
    ["2001:DB8:0:0::1", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    [undefined, "unknown"],
    ["", "unknown"],
    ["__proto__", "unknown"],
  ];
  for (const [input, want] of rows) it(`writes ${input} as ${want}`, () => assertEquals(clientAddress(input), want));
});

describe("NetworkSet", () => {
  const set = new NetworkSet([
    ...["10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::ffff:198.51.100.0/120", "::1", "203.0.113.16/28", "fe80::/10"],
  ]);
  const rows: [string, boolean][] = [
    ["10.255.0.1", true],
    ["11.0.0.1", false],
    ["192.0.2.1", true],
    ["192.0.2.2", false],
    ["::ffff:10.0.0.1", true],
    ["2001:db8:ffff::1", true],
    ["2001:db9::1", false],
    ["198.51.100.7", true],
    ["198.51.101.7", false],
    ["203.0.113.15", false],
    ["203.0.113.16", true],
    ["203.0.113.31", true],
    ["203.0.113.32", false],
    ["febf::1", true],
    ["fec0::1", false],
    ["::1", true],
    ["127.0.0.1", false],
    ["unknown", false],
    ["__proto__", false],
  ];
  for (const [ip, want] of rows) it(`says ${want} of ${ip}`, () => assertEquals(set.has(ip), want));

  it("has everybody in a network of no bits, of its own family alone", () => {
    assert(new NetworkSet(["0.0.0.0/0"]).has("192.0.2.1"));
    assert(!new NetworkSet(["0.0.0.0/0"]).has("2001:db8::1"));
    assert(new NetworkSet(["::/0"]).has("2001:db8::1"));
  });

  it("has 10,000 addresses, each found by one lookup", () => {
    const lines = Array.from({ length: 10_000 }, (_, n) => `10.1.${n >> 8}.${n & 255}`);
    const many = new NetworkSet(lines);
    for (const line of lines) assert(many.has(line));
    assert(!many.has("10.2.0.0"));
  });
});

describe("names of addresses in the DNS", () => {
  it("are reversed by octet, or by four bits (RFC 5782 §2.1, §2.4)", () => {
    assertEquals(listedName("192.0.2.99", "bl.example"), "99.2.0.192.bl.example");
    assertEquals(
      listedName("2001:db8:1:2:3:4:567:89ab", "bl.example"),
      "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.bl.example",
    );
    assertEquals(listedName("unknown", "bl.example"), undefined);
  });
});

describe("networkOf()", () => {
  it("counts an IPv6 host by its 64 bits, others by themselves", () => {
    assertEquals(networkOf("2001:db8:1:2:3::4"), "2001:db8:1:2::/64");
    assertEquals(networkOf("2001:db8:1:2:ffff::"), "2001:db8:1:2::/64");
    assertEquals(networkOf("192.0.2.1"), "192.0.2.1");
    assertEquals(networkOf("unknown"), "unknown");
  });

  it("throws for no text", () => {
    fc.assert(fc.property(fc.string(), (text) => {
      networkOf(text);
      listedName(text, "a");
      clientAddress(text);
      new NetworkSet(["::1"]).has(text);
    }));
  });
});
