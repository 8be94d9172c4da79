import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type IpAddress, ipFromOctets, isMapped, unmapped } from "../../../config/ip/address.ts";
import { formatIp } from "../../../config/ip/format_ip.ts";
import { contains, firstAddress, parseClientNetwork, parseNetwork } from "../../../config/ip/network.ts";
import { canonicalIp, parseClientIp, parseIp, parseIpv4, parseIpv6 } from "../../../config/ip/parse_ip.ts";
import { type IpRange, isLoopback, rangeOf } from "../../../config/ip/ranges.ts";
import { reverseName } from "../../../config/ip/reverse_name.ts";

function ip(text: string): IpAddress {
  const address = parseIp(text);
  assert(address !== undefined, text);
  return address;
}

describe("parseIp() and formatIp()", () => {
  const table: readonly { readonly text: string; readonly want: string }[] = [
    { text: "0.0.0.0", want: "0.0.0.0" },
    { text: "255.249.199.99", want: "255.249.199.99" },
    { text: "::", want: "::" },
    { text: "::1", want: "::1" },
    { text: "1::", want: "1::" },
    { text: "2001:0DB8::00aB", want: "2001:db8::ab" },
    { text: "1:2:3:4:5:6:7:8", want: "1:2:3:4:5:6:7:8" },
    // One group of zeros is written (RFC 5952 §4.2.2), the longest run is left out, of equal ones the first (§4.2.3).
    { text: "1:2:3:4:5:6:7::", want: "1:2:3:4:5:6:7:0" },
    { text: "::2:3:4:5:6:7:8", want: "0:2:3:4:5:6:7:8" },
    { text: "1:0:0:2:0:0:0:3", want: "1:0:0:2::3" },
    { text: "1:0:0:2:3:0:0:4", want: "1::2:3:0:0:4" },
    { text: "0:0:1:2:3:4:0:0", want: "::1:2:3:4:0:0" },
    // RFC 4291 §2.2, the third form.
    { text: "1:2:3:4:5:6:192.0.2.1", want: "1:2:3:4:5:6:c000:201" },
    { text: "64:ff9b::192.0.2.1", want: "64:ff9b::c000:201" },
    { text: "::FFFF:192.0.2.1", want: "::ffff:c000:201" },
    { text: "::192.0.2.1", want: "::c000:201" },
    { text: "fe80::1%eth0", want: "fe80::1%eth0" },
  ];
  for (const { text, want } of table) {
    it(`make ${want} of ${text}`, () => {
      assertEquals(formatIp(ip(text)), want);
      assertEquals(ip(want), ip(text));
    });
  }

  const wrong = [
    ...["", "1", "127.1", "1.2.3", "1.2.3.", ".1.2.3", "1.2.3.4.5", "1.2.3.4.", "1..2.3", "localhost"],
    ...["1.2.3.256", "1.2.3.1000", "010.0.0.1", "00.0.0.0", "0x7f.0.0.1", "2130706433", "0x7f000001", "1.2.3.-4"],
    ...[" 1.2.3.4", "1.2.3.4 ", "1.2.3.4\n", "1.2.3.4%eth0", "[1.2.3.4]", "1.2.3.4/32", "１.2.3.4"],
    ...[":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:", ":1:2:3:4:5:6:7:8"],
    ...["1:2:3:4::5:6:7:8", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:::2", "12345::", "::00001", "::g", "::-1"],
    ...["1.2.3.4::", "::1.2.3.4:5", "1.2.3.4:1:2:3:4:5:6", "::1.2.3", "::1.2.3.256", "::ffff:010.0.0.1"],
    ...["::ffff:0x7f.0.0.1", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:6::1.2.3.4", "[::1]", " ::1", "::1 ", "::1\n"],
    ...["::1%", "::1%eth0.1", "::1%a%b", "%eth0", "::1/128"],
  ];
  for (const text of wrong) {
    it(`find no address in ${JSON.stringify(text)}`, () => assertEquals(parseIp(text), undefined));
  }

  it("know the two kinds apart", () => {
    assertEquals(parseIpv4("::1"), undefined);
    assertEquals(parseIpv6("192.0.2.1"), undefined);
    assertEquals([ip("192.0.2.1").kind, ip("::1").kind], ["ipv4", "ipv6"]);
  });

  it("keep the zone apart from the octets", () => {
    const [plain, zoned] = [parseIpv6("fe80::1"), parseIpv6("fe80::1%eth0")];
    assertEquals([plain?.zone, zoned?.zone], ["", "eth0"]);
    assertEquals(zoned?.octets, plain?.octets);
  });
});

describe("ipFromOctets()", () => {
  it("takes 4 or 16 octets, as any list", () => {
    assertEquals(ipFromOctets(Uint8Array.of(192, 0, 2, 1)), ip("192.0.2.1"));
    assertEquals(ipFromOctets([...Array.from({ length: 15 }, () => 0), 1]), ip("::1"));
    for (const length of [0, 3, 5, 15, 17]) assertEquals(ipFromOctets(new Uint8Array(length)), undefined);
  });
});

describe("IPv4 addresses inside IPv6", () => {
  const table: readonly { readonly text: string; readonly want: string }[] = [
    { text: "::ffff:192.0.2.1", want: "192.0.2.1" },
    { text: "::ffff:0:0", want: "0.0.0.0" },
    { text: "::ffff:192.0.2.1%eth0", want: "192.0.2.1" },
    { text: "192.0.2.1", want: "192.0.2.1" },
    { text: "2001:DB8::1", want: "2001:db8::1" },
    // Other forms name other hosts.
    { text: "::192.0.2.1", want: "::c000:201" },
    { text: "::fffe:192.0.2.1", want: "::fffe:c000:201" },
    { text: "::1:ffff:192.0.2.1", want: "::1:ffff:c000:201" },
    { text: "64:ff9b::192.0.2.1", want: "64:ff9b::c000:201" },
    { text: "unknown", want: "unknown" },
  ];
  for (const { text, want } of table) {
    it(`canonicalIp() makes ${want} of ${text}`, () => {
      assertEquals(canonicalIp(text), want);
      assertEquals(parseClientIp(text), parseIp(want));
    });
  }

  it("isMapped() tells which they are", () => {
    assertEquals(["::ffff:1.2.3.4", "::1.2.3.4", "1.2.3.4"].map((text) => isMapped(ip(text))), [true, false, false]);
    assertEquals(unmapped(ip("::1")), ip("::1"));
  });
});

describe("parseNetwork() and contains()", () => {
  const table: readonly { readonly network: string; readonly inside: string[]; readonly outside: string[] }[] = [
    { network: "10.0.0.0/8", inside: ["10.0.0.0", "10.255.255.255"], outside: ["9.255.255.255", "11.0.0.0", "::"] },
    { network: "172.31.1.1/12", inside: ["172.16.0.0", "172.31.255.255"], outside: ["172.15.255.255", "172.32.0.0"] },
    { network: "192.0.2.1/32", inside: ["192.0.2.1"], outside: ["192.0.2.0", "192.0.2.2", "::ffff:192.0.2.1"] },
    { network: "0.0.0.0/0", inside: ["0.0.0.0", "255.255.255.255"], outside: ["::"] },
    { network: "2000::/3", inside: ["2000::", "3fff:ffff::"], outside: ["1fff:ffff::", "4000::", "32.0.0.0"] },
    { network: "2001:db8::/33", inside: ["2001:db8:7fff::1"], outside: ["2001:db8:8000::"] },
    { network: "fe80::1%eth0/64", inside: ["fe80::2", "fe80::2%eth1"], outside: ["fe80:0:0:1::"] },
    { network: "::1/128", inside: ["::1"], outside: ["::", "::2"] },
    { network: "::/0", inside: ["::", "ffff::"], outside: ["0.0.0.0"] },
  ];
  for (const { network, inside, outside } of table) {
    it(`know what lies in ${network}`, () => {
      const parsed = parseNetwork(network);
      assert(parsed !== undefined);
      for (const text of inside) assert(contains(parsed, ip(text)), text);
      for (const text of outside) assert(!contains(parsed, ip(text)), text);
      assert(contains(parsed, firstAddress(parsed)));
    });
  }

  const wrong = [
    ...["", "/", "/8", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/8.0"],
    ...["10/8", "10.0/8", "010.0.0.0/8", "::/129", "::/1000", "::/0x8", " ::/0", "::/0 ", "::/0\n", "[::]/0"],
  ];
  for (const text of wrong) {
    it(`find no network in ${JSON.stringify(text)}`, () => assertEquals(parseNetwork(text), undefined));
  }

  it("find a network's first address", () => {
    const firstOf = (text: string) => formatIp(firstAddress(parseNetwork(text)!));
    assertEquals(["10.1.2.3/8", "10.1.2.3/31", "2001:db8::ffff/113", "fe80::1%eth0/10", "ffff::/0"].map(firstOf), [
      ...["10.0.0.0", "10.1.2.2", "2001:db8::8000", "fe80::", "::"],
    ]);
  });
});

describe("parseClientNetwork()", () => {
  const table: readonly { readonly text: string; readonly want: string | undefined }[] = [
    { text: "192.0.2.1", want: "192.0.2.1/32" },
    { text: "2001:db8::1", want: "2001:db8::1/128" },
    { text: "10.0.0.0/8", want: "10.0.0.0/8" },
    { text: "::ffff:192.0.2.1", want: "192.0.2.1/32" },
    { text: "::ffff:10.0.0.0/104", want: "10.0.0.0/8" },
    { text: "::ffff:0:0/96", want: "0.0.0.0/0" },
    { text: "::ffff:0:0/95", want: "::ffff:0:0/95" },
    { text: "10/8", want: undefined },
    { text: "unknown", want: undefined },
  ];
  for (const { text, want } of table) {
    it(`makes ${want} of ${text}`, () => assertEquals(parseClientNetwork(text), want && parseNetwork(want)));
  }
});

describe("rangeOf()", () => {
  /** First and last address of each range, each between what lies before and behind it. */
  const table: readonly (readonly [first: string, last: string, range: IpRange])[] = [
    ["0.0.0.0", "0.255.255.255", "unspecified"],
    ["1.0.0.0", "9.255.255.255", "unicast"],
    ["10.0.0.0", "10.255.255.255", "private"],
    ["11.0.0.0", "100.63.255.255", "unicast"],
    ["100.64.0.0", "100.127.255.255", "carrierGradeNat"],
    ["100.128.0.0", "126.255.255.255", "unicast"],
    ["127.0.0.0", "127.255.255.255", "loopback"],
    ["128.0.0.0", "169.253.255.255", "unicast"],
    ["169.254.0.0", "169.254.255.255", "linkLocal"],
    ["169.255.0.0", "172.15.255.255", "unicast"],
    ["172.16.0.0", "172.31.255.255", "private"],
    ["172.32.0.0", "191.255.255.255", "unicast"],
    ["192.0.0.0", "192.0.0.255", "reserved"],
    ["192.0.1.0", "192.0.1.255", "unicast"],
    ["192.0.2.0", "192.0.2.255", "reserved"],
    ["192.0.3.0", "192.31.195.255", "unicast"],
    ["192.31.196.0", "192.31.196.255", "service"],
    ["192.31.197.0", "192.52.192.255", "unicast"],
    ["192.52.193.0", "192.52.193.255", "service"],
    ["192.52.194.0", "192.88.98.255", "unicast"],
    ["192.88.99.0", "192.88.99.255", "reserved"],
    ["192.88.100.0", "192.167.255.255", "unicast"],
    ["192.168.0.0", "192.168.255.255", "private"],
    ["192.169.0.0", "192.175.47.255", "unicast"],
    ["192.175.48.0", "192.175.48.255", "service"],
    ["192.175.49.0", "198.17.255.255", "unicast"],
    ["198.18.0.0", "198.19.255.255", "reserved"],
    ["198.20.0.0", "198.51.99.255", "unicast"],
    ["198.51.100.0", "198.51.100.255", "reserved"],
    ["198.51.101.0", "203.0.112.255", "unicast"],
    ["203.0.113.0", "203.0.113.255", "reserved"],
    ["203.0.114.0", "223.255.255.255", "unicast"],
    ["224.0.0.0", "239.255.255.255", "multicast"],
    ["240.0.0.0", "255.255.255.254", "reserved"],
    ["255.255.255.255", "255.255.255.255", "broadcast"],

    ["::", "::", "unspecified"],
    ["::1", "::1", "loopback"],
    ["::2", "::fffe:ffff:ffff", "unicast"],
    ["::ffff:0.0.0.0", "::ffff:255.255.255.255", "ipv4Inside"],
    ["::1:0:0:0", "::fffe:ffff:ffff:ffff", "unicast"],
    ["::ffff:0:0:0", "::ffff:0:ffff:ffff", "ipv4Inside"],
    ["::ffff:1:0:0", "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", "unicast"],
    ["64:ff9b::", "64:ff9b::ffff:ffff", "ipv4Inside"],
    ["64:ff9b::1:0:0", "64:ff9b:0:ffff:ffff:ffff:ffff:ffff", "unicast"],
    ["64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "ipv4Inside"],
    ["64:ff9b:2::", "ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unicast"],
    ["100::", "100::ffff:ffff:ffff:ffff", "service"],
    ["100:0:0:1::", "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unicast"],
    ["2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "ipv4Inside"],
    ["2001:1::", "2001:1:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"],
    ["2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", "service"],
    ["2001:2:1::", "2001:2:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"],
    ["2001:3::", "2001:3:ffff:ffff:ffff:ffff:ffff:ffff", "service"],
    ["2001:4::", "2001:4:111:ffff:ffff:ffff:ffff:ffff", "reserved"],
    ["2001:4:112::", "2001:4:112:ffff:ffff:ffff:ffff:ffff", "service"],
    ["2001:4:113::", "2001:f:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"],
    ["2001:10::", "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff", "service"],
    ["2001:40::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"],
    ["2001:200::", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "unicast"],
    ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"],
    ["2001:db9::", "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unicast"],
    ["2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ipv4Inside"],
    ["2003::", "2620:4f:7fff:ffff:ffff:ffff:ffff:ffff", "unicast"],
    ["2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", "service"],
    ["2620:4f:8001::", "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unicast"],
    ["3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"],
    ["3fff:1000::", "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unicast"],
    ["5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "service"],
    ["5f01::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unicast"],
    ["fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "uniqueLocal"],
    ["fe00::", "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unicast"],
    ["fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "linkLocal"],
    ["fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "siteLocal"],
    ["ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast"],
  ];
  for (const [first, last, range] of table) {
    it(`says ${range} from ${first} to ${last}`, () => {
      assertEquals([rangeOf(ip(first)), rangeOf(ip(last))], [range, range]);
    });
  }

  it("is asked about at both ends of each range, none left out between", () => {
    const numbers = table.map(([first, last]) => [first, last].map((text) => numberOf(ip(text))));
    for (const [at, [first]] of numbers.entries()) {
      if (first !== 0n) assertEquals(first, numbers[at - 1]![1]! + 1n, table[at]![0]);
    }
  });

  it("leaves the zone out", () => assertEquals(rangeOf(ip("fe80::1%eth0")), "linkLocal"));

  it("isLoopback() is about addresses of this machine only", () => {
    for (const text of ["127.0.0.1", "127.200.3.4", "::1"]) assert(isLoopback(text), text);
    const others = ["0.0.0.0", "::", "192.0.2.1", "::2", "::ffff:127.0.0.1", "localhost", "127.1"];
    for (const text of others) assert(!isLoopback(text), text);
  });
});

function numberOf({ octets }: IpAddress): bigint {
  return octets.reduce((number, octet) => number * 256n + BigInt(octet), 0n);
}

describe("reverseName()", () => {
  const table: readonly { readonly text: string; readonly want: string | undefined }[] = [
    { text: "192.0.2.1", want: "1.2.0.192.in-addr.arpa" },
    { text: "::ffff:192.0.2.1", want: "1.2.0.192.in-addr.arpa" },
    { text: "2001:db8::1", want: `1${".0".repeat(23)}.8.b.d.0.1.0.0.2.ip6.arpa` },
    // RFC 3596 §2.5.
    {
      text: "4321:0:1:2:3:4:567:89ab",
      want: "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa",
    },
    { text: "unknown", want: undefined },
  ];
  for (const { text, want } of table) it(`is ${want} of ${text}`, () => assertEquals(reverseName(text), want));
});
