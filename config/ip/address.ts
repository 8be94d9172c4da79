/**
 * IP addresses: a precise type, made from octets or by {@link parseIp}, and what addresses have in common. Pure; imports
 * nothing, for every process of ours loads it.
 * @module
 */
export interface Ipv4 {
  readonly kind: "ipv4";
  /** Four, in the network's order. */
  readonly octets: readonly number[];
}

export interface Ipv6 {
  readonly kind: "ipv6";
  /** Sixteen, in the network's order. */
  readonly octets: readonly number[];
  /** The interface by which a link-local address is meant (RFC 4007 §11); `""`: none is named. */
  readonly zone: string;
}

export type IpAddress = Ipv4 | Ipv6;

/** Bits of an address of each kind. */
export const bitsOf = { ipv4: 32, ipv6: 128 } as const;

/** The address that 4 or 16 octets are; undefined for any other number of them. */
export function ipFromOctets(octets: Iterable<number>): IpAddress | undefined {
  const all = [...octets];
  if (all.length === 4) return { kind: "ipv4", octets: all };
  return all.length === 16 ? { kind: "ipv6", octets: all, zone: "" } : undefined;
}

/** The eight numbers of 16 bits that an IPv6 address is written in. */
export function groupsOf({ octets }: Ipv6): readonly number[] {
  return Array.from({ length: 8 }, (_, at) => octets[2 * at]! * 256 + octets[2 * at + 1]!);
}

/** Whether it is an IPv4 address in the form that a socket for both kinds shows it in (RFC 4291 §2.5.5.2). */
export function isMapped({ kind, octets }: IpAddress): boolean {
  return kind === "ipv6" && octets.every((octet, at) => at >= 12 || octet === (at < 10 ? 0 : 0xff));
}

/** The IPv4 address where it {@link isMapped}, otherwise the address itself. */
export function unmapped(ip: IpAddress): IpAddress {
  return isMapped(ip) ? { kind: "ipv4", octets: ip.octets.slice(12) } : ip;
}
