/** config/ip held against ipaddr.js, which many programs use. */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { type IpAddress, ipFromOctets } from "../../../config/ip/address.ts";
import { formatIp } from "../../../config/ip/format_ip.ts";
import { contains, parseNetwork } from "../../../config/ip/network.ts";
import { canonicalIp, parseIp, parseIpv4 } from "../../../config/ip/parse_ip.ts";
import { type IpRange, rangeOf } from "../../../config/ip/ranges.ts";

/** Its words, in ours. */
const ranges: Readonly<Record<string, IpRange>> = {
  ...{ unicast: "unicast", unspecified: "unspecified", broadcast: "broadcast", multicast: "multicast" },
  ...{ linkLocal: "linkLocal", loopback: "loopback", carrierGradeNat: "carrierGradeNat", private: "private" },
  ...{ uniqueLocal: "uniqueLocal", reserved: "reserved", deprecatedSiteLocal: "siteLocal" },
  ...{ ipv4Mapped: "ipv4Inside", rfc6145: "ipv4Inside", rfc6052: "ipv4Inside", "6to4": "ipv4Inside" },
  ...{ teredo: "ipv4Inside", as112: "service", as112v6: "service", amt: "service", discard: "service" },
  ...{ benchmarking: "service", deprecatedOrchid: "service", orchid2: "service", segmentRouting: "service" },
  droneRemoteIdProtocolEntityTags: "service",
};

/** Networks of the registries: at random alone, hardly an address would lie in one, or at its edge. */
const registered = [ipaddr.IPv4, ipaddr.IPv6].flatMap(({ prototype }) => {
  // Its types leave the property out.
  return Object.values((prototype as unknown as { readonly SpecialRanges: object }).SpecialRanges).flat(Infinity);
}) as unknown[];
const bases = registered.filter((one): one is ipaddr.IPv4 | ipaddr.IPv6 => typeof one === "object")
  .map((address) => address.toByteArray());

/** Octets of an address, many of which begin like a registered network and go on in zeros, ones or at random. */
const octets = fc.constantFrom(4, 16).chain((length) => {
  const random = fc.array(fc.oneof(fc.constantFrom(0, 0, 0, 255), fc.nat(255)), {
    minLength: length,
    maxLength: length,
  });
  const base = fc.constantFrom(...bases.filter((one) => one.length === length));
  const near = fc.tuple(base, random, fc.nat(length), fc.nat(8 * length)).map(([base, random, kept, flipped]) => {
    const all = [...base.slice(0, kept), ...random.slice(kept)];
    if (flipped < 8 * length) all[flipped >> 3]! ^= 128 >> (flipped & 7);
    return all;
  });
  return fc.oneof(random, near);
});

/** Texts like addresses: whole ones in many spellings, and pieces of such in any order. */
const decimal = fc.oneof(fc.nat(255), fc.nat(300)).map(String);
const ipv4 = fc.array(decimal, { minLength: 3, maxLength: 5 }).map((parts) => parts.join("."));
const group = fc.oneof(
  fc.constantFrom("0", "0000", "ffff", "FFFF"),
  fc.nat(0x1ffff).map((value) => value.toString(16)),
);
const groups = fc.tuple(
  fc.array(group, { maxLength: 9 }),
  fc.constantFrom("", ":", "::", ":::"),
  fc.array(group, { maxLength: 8 }),
  fc.oneof({ weight: 3, arbitrary: fc.constant("") }, ipv4),
  fc.constantFrom("", "", "", "%eth0", "%", "%a.b", "%1%2"),
).map(([head, middle, tail, last, zone]) => {
  return `${head.join(":")}${middle}${[...tail, ...last === "" ? [] : [last]].join(":")}${zone}`;
});
const pieces = fc.array(fc.constantFrom(...":.%/ 019afgxF", "::", "ffff", "255", "256", "1.2.3.4", "%eth0"), {
  maxLength: 12,
}).map((all) => all.join(""));
const texts = fc.oneof(ipv4, groups, pieces, octets.map((all) => ipaddr.fromByteArray(all).toString()));

/** What it takes beside addresses: other forms of IPv4, alone or inside. */
function isOtherForm(text: string): boolean {
  const last = text.replace(/[%/].*$/s, "").split(":").at(-1)!;
  const isIpv4 = !text.includes(":") || last.includes(".");
  return isIpv4 && parseIpv4(last) === undefined;
}

/** Unlike RFC 4291 §2.5.5.1, it reads `::192.0.2.1` as mapped. */
function isCompatible(text: string): boolean {
  return /^::[0-9.]+(?:%.*)?$/.test(text) && text.includes(".");
}

const many = { numRuns: 20_000 };

describe("config/ip, beside ipaddr.js", () => {
  it("takes the same texts as addresses, and spells them alike", () => {
    let taken = 0;
    fc.assert(
      fc.property(texts, (text) => {
        const ip = parseIp(text);
        if (isOtherForm(text)) return assertEquals(ip, undefined);
        assertEquals(ip !== undefined, ipaddr.isValid(text));
        if (ip === undefined || isCompatible(text)) return;
        taken++;
        assertEquals(formatIp(ip), ipaddr.parse(text).toString());
        assertEquals(canonicalIp(text), ipaddr.process(text).toString());
        assertEquals([...ip.octets], ipaddr.parse(text).toByteArray());
      }),
      many,
    );
    assert(taken > 4000, `${taken} addresses`);
  });

  it("spells octets alike, and reads what it spelled", () => {
    fc.assert(
      fc.property(octets, (all) => {
        const ip = ipFromOctets(all)!;
        assertEquals(formatIp(ip), ipaddr.fromByteArray(all).toString());
        assertEquals(parseIp(formatIp(ip)), ip);
      }),
      many,
    );
  });

  it("puts addresses into the same ranges", () => {
    const met = new Set<IpRange>();
    fc.assert(
      fc.property(octets, (all) => {
        const range = rangeOf(ipFromOctets(all)!);
        met.add(range);
        assertEquals(range, ranges[ipaddr.fromByteArray(all).range()]);
      }),
      many,
    );
    assertEquals(met, new Set(Object.values(ranges)));
  });

  it("takes the same texts as networks, with the same addresses inside", () => {
    const bits = fc.oneof(fc.nat(130).map(String), fc.constantFrom("", "08", "-1", "1x", "8/8"));
    fc.assert(
      fc.property(texts, bits, octets, fc.nat(16), (place, bits, others, kept) => {
        const text = `${place}/${bits}`;
        const network = parseNetwork(text);
        if (isOtherForm(place)) return assertEquals(network, undefined);
        assertEquals(network !== undefined, ipaddr.isValidCIDR(text));
        if (network === undefined || isCompatible(place)) return;
        const { length } = network.address.octets;
        // A neighbour: the first octets are the network's own.
        const near = [...network.address.octets.slice(0, kept), ...others, ...others, ...others, ...others];
        for (const all of [others, near.slice(0, length)]) {
          assertEquals(contains(network, ipFromOctets(all) as IpAddress), matches(text, all));
        }
      }),
      many,
    );
  });
});

/** It throws on two kinds. */
function matches(text: string, octets: number[]): boolean {
  const [address, range] = [ipaddr.fromByteArray(octets), ipaddr.parseCIDR(text)];
  return address.kind() === range[0].kind() && address.match(range);
}
