/**
 * Networks of addresses, as `address/bits` (RFC 4632 §3.1, RFC 4291 §2.3).
 * @module
 */
import { bitsOf, type IpAddress, isMapped, unmapped } from "./address.ts";
import { parseIp } from "./parse_ip.ts";

export interface IpNetwork {
  /** Any address inside. */
  readonly address: IpAddress;
  /** How many bits all of its addresses have in common. */
  readonly bits: number;
}

/**
 * `10.0.0.0/8`, `2001:db8::/32`. Bits behind the network's may be set.
 *
 * @example
 * ```ts
 * import { contains, parseNetwork } from "./network.ts";
 * import { parseIp } from "./parse_ip.ts";
 * contains(parseNetwork("10.0.0.0/8")!, parseIp("10.1.2.3")!); // true
 * ```
 */
export function parseNetwork(text: string): IpNetwork | undefined {
  const [, place = "", digits] = /^([^/]+)\/([0-9]{1,3})$/.exec(text) ?? [];
  const [address, bits] = [parseIp(place), Number(digits)];
  return address !== undefined && bits <= bitsOf[address.kind] ? { address, bits } : undefined;
}

/**
 * A network, or an address alone as the network of one, that clients are looked up in: clients' addresses are IPv4 where they
 * are mapped into IPv6 (`parseClientIp`), so a network of such addresses becomes one of IPv4 as well.
 */
export function parseClientNetwork(text: string): IpNetwork | undefined {
  const alone = parseIp(text);
  const network = alone === undefined ? parseNetwork(text) : { address: alone, bits: bitsOf[alone.kind] };
  if (network === undefined || !isMapped(network.address) || network.bits < 96) return network;
  return { address: unmapped(network.address), bits: network.bits - 96 };
}

/** Whether an address lies in a network; one of the other kind never does, and zones make no difference. */
export function contains({ address: { kind, octets }, bits }: IpNetwork, ip: IpAddress): boolean {
  return kind === ip.kind && ip.octets.every((octet, at) => ((octet ^ octets[at]!) & maskOf(at, bits)) === 0);
}

/** A network's first address: the bits behind the network's are cleared, and a zone is left out. */
export function firstAddress({ address: { kind, octets }, bits }: IpNetwork): IpAddress {
  const cleared = octets.map((octet, at) => octet & maskOf(at, bits));
  return kind === "ipv4" ? { kind, octets: cleared } : { kind, octets: cleared, zone: "" };
}

/** Which bits of the octet at a place are among the first `bits`. */
function maskOf(at: number, bits: number): number {
  return 0xff00 >> Math.min(8, Math.max(0, bits - 8 * at)) & 0xff;
}
