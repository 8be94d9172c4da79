/**
 * Addresses from their text (RFC 4291 §2.2). IPv4 is four decimal parts without leading zeros and nothing else: what
 * `inet_aton` takes beside them (`127.1`, `010.0.0.1`, `0x7f.1`) is read differently by different programs, and an address
 * that two of them read differently gets past one of them.
 * @module
 */
import { type IpAddress, type Ipv4, type Ipv6, unmapped } from "./address.ts";
import { formatIp } from "./format_ip.ts";

const part = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
const fourParts = new RegExp(`^(?:${part}\\.){3}${part}$`);
/** 45, for six groups and four decimal parts. */
const groupsAndZone = /^([0-9A-Fa-f:.]{2,45})(?:%([0-9A-Za-z]+))?$/;

/**
 * An address as it is written; one of IPv6 may have a zone of letters and digits (`fe80::1%eth0`).
 *
 * @example
 * ```ts
 * import { parseIp } from "./parse_ip.ts";
 * parseIp("192.0.2.1"); // { kind: "ipv4", octets: [192, 0, 2, 1] }
 * parseIp("192.0.2"); // undefined
 * ```
 */
export function parseIp(text: string): IpAddress | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** The same, IPv4 where it is IPv4 mapped into IPv6: one host has one address, whatever socket it is seen on. */
export function parseClientIp(text: string): IpAddress | undefined {
  const ip = parseIp(text);
  return ip && unmapped(ip);
}

/** The one spelling of {@link parseClientIp}'s address; what is no address stays as it is. */
export function canonicalIp(text: string): string {
  const ip = parseClientIp(text);
  return ip === undefined ? text : formatIp(ip);
}

export function parseIpv4(text: string): Ipv4 | undefined {
  return fourParts.test(text) ? { kind: "ipv4", octets: text.split(".").map(Number) } : undefined;
}

/** In each of the three forms: eight groups, `::` for groups that are zero, the last two as an IPv4 address. */
export function parseIpv6(text: string): Ipv6 | undefined {
  const [, groups, zone = ""] = groupsAndZone.exec(text) ?? [];
  if (groups === undefined) return undefined;
  const [before = "", after, ...more] = groups.split("::");
  if (more.length > 0) return undefined;
  const head = readGroups(before, after === undefined);
  const tail = readGroups(after ?? "", true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  // "::" stands for one group at the least.
  if (after === undefined ? missing !== 0 : missing < 2) return undefined;
  return { kind: "ipv6", octets: [...head, ...new Array<number>(missing).fill(0), ...tail], zone };
}

/** The octets of groups with colons between them, of none where there is no text. */
function readGroups(text: string, mayEndInIpv4: boolean): readonly number[] | undefined {
  if (text === "") return [];
  const octets: number[] = [];
  const groups = text.split(":");
  for (const [at, group] of groups.entries()) {
    if (/^[0-9A-Fa-f]{1,4}$/.test(group)) {
      const value = parseInt(group, 16);
      octets.push(value >> 8, value & 0xff);
    } else {
      const ipv4 = mayEndInIpv4 && at === groups.length - 1 ? parseIpv4(group) : undefined;
      if (ipv4 === undefined) return undefined;
      octets.push(...ipv4.octets);
    }
  }
  return octets;
}
