/**
 * The text of an address (RFC 5952 §4): the inverse of `parseIp`, one spelling for each address.
 * @module
 */
import { groupsOf, type IpAddress } from "./address.ts";

/**
 * IPv6 in lower case, `::` for the longest run of zeros, the first of equal ones. Unlike RFC 5952 §5, an IPv4 address inside
 * is written in groups as well: whoever wants that one as IPv4 calls `unmapped` before.
 *
 * @example
 * ```ts
 * import { ipFromOctets } from "./address.ts";
 * import { formatIp } from "./format_ip.ts";
 * formatIp(ipFromOctets([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])!); // "2001:db8::1"
 * ```
 */
export function formatIp(ip: IpAddress): string {
  if (ip.kind === "ipv4") return ip.octets.join(".");
  const groups = groupsOf(ip).map((group) => group.toString(16));
  const { from, length } = longestZeros(groups);
  // One group alone is not left out (RFC 5952 §4.2.2).
  const text = length < 2
    ? groups.join(":")
    : `${groups.slice(0, from).join(":")}::${groups.slice(from + length).join(":")}`;
  return ip.zone === "" ? text : `${text}%${ip.zone}`;
}

function longestZeros(groups: readonly string[]): { readonly from: number; readonly length: number } {
  let longest = { from: 0, length: 0 };
  for (let from = 0; from < groups.length;) {
    let end = from;
    while (groups[end] === "0") end++;
    if (end - from > longest.length) longest = { from, length: end - from };
    from = end + 1;
  }
  return longest;
}
