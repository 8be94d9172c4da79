/**
 * What an address is for, by the registries of special-purpose addresses (RFC 6890; IANA, "IPv4 Special-Purpose Address
 * Registry" and "IPv6 Special-Purpose Address Registry") and of address space (RFC 4291 §2.4).
 * @module
 */
import type { IpAddress } from "./address.ts";
import { contains, type IpNetwork, parseNetwork } from "./network.ts";
import { parseIp } from "./parse_ip.ts";

/**
 * `unicast` is what nothing else is said about: a host of the Internet's, as far as it is given out. `reserved`: for
 * documentation, tests, protocols or the future. `ipv4Inside`: mapped, translated or tunnelled. `service`: for one protocol
 * or service alone.
 */
export type IpRange =
  | "unicast"
  | "unspecified"
  | "loopback"
  | "private"
  | "uniqueLocal"
  | "siteLocal"
  | "linkLocal"
  | "carrierGradeNat"
  | "multicast"
  | "broadcast"
  | "reserved"
  | "ipv4Inside"
  | "service";

/** Of several that an address lies in, the first counts. */
const ranges: readonly (readonly [network: string, range: IpRange])[] = [
  ["0.0.0.0/8", "unspecified"], // this network, RFC 791 §3.2
  ["10.0.0.0/8", "private"], // RFC 1918
  ["100.64.0.0/10", "carrierGradeNat"], // RFC 6598
  ["127.0.0.0/8", "loopback"], // RFC 1122 §3.2.1.3
  ["169.254.0.0/16", "linkLocal"], // RFC 3927
  ["172.16.0.0/12", "private"], // RFC 1918
  ["192.0.0.0/24", "reserved"], // protocols of the IETF's, RFC 6890 §2.1
  ["192.0.2.0/24", "reserved"], // documentation, RFC 5737
  ["192.31.196.0/24", "service"], // AS112, RFC 7535
  ["192.52.193.0/24", "service"], // AMT, RFC 7450
  ["192.88.99.0/24", "reserved"], // relays of 6to4, given up by RFC 7526
  ["192.168.0.0/16", "private"], // RFC 1918
  ["192.175.48.0/24", "service"], // AS112, RFC 7534
  ["198.18.0.0/15", "reserved"], // benchmarks, RFC 2544
  ["198.51.100.0/24", "reserved"], // documentation, RFC 5737
  ["203.0.113.0/24", "reserved"], // documentation, RFC 5737
  ["224.0.0.0/4", "multicast"], // RFC 5771
  ["255.255.255.255/32", "broadcast"], // RFC 919 §7
  ["240.0.0.0/4", "reserved"], // RFC 1112 §4

  ["::/128", "unspecified"], // RFC 4291 §2.5.2
  ["::1/128", "loopback"], // RFC 4291 §2.5.3
  ["::ffff:0:0/96", "ipv4Inside"], // mapped, RFC 4291 §2.5.5.2
  ["::ffff:0:0:0/96", "ipv4Inside"], // translated, RFC 2765 §2.1
  ["64:ff9b::/96", "ipv4Inside"], // translated, RFC 6052
  ["64:ff9b:1::/48", "ipv4Inside"], // translated, RFC 8215
  ["100::/64", "service"], // thrown away, RFC 6666
  ["2001::/32", "ipv4Inside"], // Teredo, RFC 4380
  ["2001:2::/48", "service"], // benchmarks, RFC 5180
  ["2001:3::/32", "service"], // AMT, RFC 7450
  ["2001:4:112::/48", "service"], // AS112, RFC 7535
  ["2001:10::/28", "service"], // ORCHID, RFC 4843
  ["2001:20::/28", "service"], // ORCHIDv2, RFC 7343
  ["2001:30::/28", "service"], // tags of drones, RFC 9374
  ["2001::/23", "reserved"], // protocols of the IETF's, RFC 2928
  ["2001:db8::/32", "reserved"], // documentation, RFC 3849
  ["2002::/16", "ipv4Inside"], // 6to4, RFC 3056
  ["2620:4f:8000::/48", "service"], // AS112, RFC 7534
  ["3fff::/20", "reserved"], // documentation, RFC 9637
  ["5f00::/16", "service"], // segment routing, RFC 9602
  ["fc00::/7", "uniqueLocal"], // RFC 4193
  ["fe80::/10", "linkLocal"], // RFC 4291 §2.5.6
  ["fec0::/10", "siteLocal"], // given up by RFC 3879
  ["ff00::/8", "multicast"], // RFC 4291 §2.7
];

let networks: readonly (readonly [IpNetwork, IpRange])[] | undefined;

/** Most processes never ask. */
function parsedRanges(): readonly (readonly [IpNetwork, IpRange])[] {
  return networks ??= ranges.map(([network, range]) => [parseNetwork(network)!, range]);
}

/** Which range an address lies in. */
export function rangeOf(ip: IpAddress): IpRange {
  return parsedRanges().find(([network]) => contains(network, ip))?.[1] ?? "unicast";
}

/** Whether a text is an address of this machine alone: in 127.0.0.0/8, or `::1`. */
export function isLoopback(text: string): boolean {
  const ip = parseIp(text);
  return ip !== undefined && rangeOf(ip) === "loopback";
}
