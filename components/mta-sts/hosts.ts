/**
 * Which addresses a policy may be fetched from.
 * @module
 */
import { parseIpv4 } from "../../config/ip/parse_ip.ts";
import { type IpRange, rangeOf } from "../../config/ip/ranges.ts";
import type { ResolveReply } from "../lib/wire/resolver_protocol.ts";

/** Each costs a connection; a policy host with more of them has one among the first that answers. */
const mostAddresses = 4;
/** The last holds what clouds tell their machines: nothing there is a policy, even in a lab. */
const never: readonly IpRange[] = ["unspecified", "broadcast", "multicast", "reserved", "linkLocal"];

/** The IPv4 addresses of an answer that may be dialled: public ones, with `privateAddresses` this network's own as well. */
export function policyAddresses({ records }: ResolveReply, privateAddresses: boolean): readonly string[] {
  const isUsable = (address: string) => {
    const ip = parseIpv4(address);
    if (ip === undefined) return false;
    const range = rangeOf(ip);
    return range === "unicast" || (privateAddresses && !never.includes(range));
  };
  return [...new Set(records.map(({ value }) => value).filter(isUsable))].slice(0, mostAddresses);
}
