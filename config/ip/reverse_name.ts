/**
 * Addresses as names in the DNS, their parts in reverse order.
 * @module
 */
import type { IpAddress } from "./address.ts";
import { parseClientIp } from "./parse_ip.ts";

const zones = { ipv4: "in-addr.arpa", ipv6: "ip6.arpa" } as const;

/**
 * The name that the PTR of an address stands under (RFC 1035 §3.5, RFC 3596 §2.5), of the IPv4 address where that is mapped
 * into IPv6; undefined for what is no address.
 *
 * @example
 * ```ts
 * import { reverseName } from "./reverse_name.ts";
 * reverseName("192.0.2.1"); // "1.2.0.192.in-addr.arpa"
 * ```
 */
export function reverseName(text: string): string | undefined {
  const ip = parseClientIp(text);
  return ip && `${reversedLabels(ip)}.${zones[ip.kind]}`;
}

/** The octets of IPv4 in decimal, those of IPv6 as two hexadecimal digits each, the last first, with dots between them. */
export function reversedLabels({ kind, octets }: IpAddress): string {
  const labels = kind === "ipv4" ? octets : octets.flatMap((octet) => [octet >> 4, octet & 15]);
  return labels.map((label) => label.toString(kind === "ipv4" ? 10 : 16)).reverse().join(".");
}
