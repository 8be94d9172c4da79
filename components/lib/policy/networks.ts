/**
 * Clients' addresses, and lists of addresses and networks that they are looked up in. A lookup costs one probe for each
 * length of prefix in the list, however long that is.
 * @module
 */
import ipaddr from "ipaddr.js";

type Address = ReturnType<typeof ipaddr.process>;

/**
 * A socket's remote address in one spelling: IPv4 where it is IPv4 mapped into IPv6, no zone; `unknown` where the socket
 * could not tell.
 *
 * @example
 * ```ts
 * import { clientAddress } from "./networks.ts";
 * clientAddress("::ffff:192.0.2.1"); // "192.0.2.1"
 * ```
 */
export function clientAddress(remoteAddress: string | undefined): string {
  const address = remoteAddress?.split("%", 1)[0] ?? "";
  return ipaddr.isValid(address) ? ipaddr.process(address).toString() : "unknown";
}

/** The first `bits` of an address, as a key: no two networks of one length share one. */
function prefixKey(octets: readonly number[], bits: number): string {
  const whole = bits >> 3;
  const rest = bits & 7;
  const kept = octets.slice(0, whole);
  if (rest > 0) kept.push(octets[whole]! & (0xff << (8 - rest)));
  return String.fromCharCode(...kept);
}

interface Family {
  readonly kind: "ipv4" | "ipv6";
  /** Prefixes by their length in bits. */
  readonly prefixes: Map<number, Set<string>>;
}

/** Addresses and networks, as a control file of {@link parseNetworks} has them. */
export class NetworkSet {
  readonly #families: readonly Family[] = [
    { kind: "ipv4", prefixes: new Map() },
    { kind: "ipv6", prefixes: new Map() },
  ];
  readonly isEmpty: boolean;

  /** The lines have been found good by the control file's reader. */
  constructor(lines: readonly string[]) {
    this.isEmpty = lines.length === 0;
    for (const line of lines) {
      const [address, bits] = parseNetwork(line);
      const { prefixes } = this.#family(address);
      const keys = prefixes.get(bits) ?? new Set();
      prefixes.set(bits, keys.add(prefixKey(address.toByteArray(), bits)));
    }
  }

  /** Whether `ip`, as {@link clientAddress} writes it, is one of them or lies in one. */
  has(ip: string): boolean {
    if (this.isEmpty || !ipaddr.isValid(ip)) return false;
    const address = ipaddr.process(ip);
    const octets = address.toByteArray();
    for (const [bits, keys] of this.#family(address).prefixes) if (keys.has(prefixKey(octets, bits))) return true;
    return false;
  }

  #family(address: Address): Family {
    return this.#families[address.kind() === "ipv4" ? 0 : 1]!;
  }
}

function parseNetwork(text: string): readonly [Address, number] {
  const [address, bits] = ipaddr.isValidCIDR(text) ? ipaddr.parseCIDR(text) : [ipaddr.parse(text), undefined];
  const most = address.kind() === "ipv4" ? 32 : 128;
  // A client is looked up in the IPv4 spelling, so a network of mapped addresses is turned into that as well.
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && (bits ?? most) >= 96) {
    return [address.toIPv4Address(), (bits ?? most) - 96];
  }
  return [address, bits ?? most];
}

/**
 * Whom `ip` stands for where clients are counted: the address itself, or the first 64 bits of an IPv6 address, as one host
 * has all that follow.
 */
export function networkOf(ip: string): string {
  if (!ip.includes(":") || !ipaddr.IPv6.isValid(ip)) return ip;
  const groups = ipaddr.IPv6.parse(ip).parts.slice(0, 4).map((group) => group.toString(16));
  return `${groups.join(":")}::/64`;
}

/**
 * The name under which a DNS list in `zone` has an address (RFC 5782 §2.1, §2.4); undefined for what is no address.
 *
 * @example
 * ```ts
 * import { listedName } from "./networks.ts";
 * listedName("192.0.2.1", "bl.example"); // "1.2.0.192.bl.example"
 * ```
 */
export function listedName(ip: string, zone: string): string | undefined {
  if (!ipaddr.isValid(ip)) return undefined;
  const address = ipaddr.process(ip);
  const octets = address.toByteArray();
  const labels = address.kind() === "ipv4"
    ? octets.map(String)
    : octets.flatMap((octet) => [(octet >> 4).toString(16), (octet & 15).toString(16)]);
  return `${labels.reverse().join(".")}.${zone}`;
}

/** The name that the PTR of an address stands under (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseName(ip: string): string | undefined {
  return listedName(ip, ip.includes(":") ? "ip6.arpa" : "in-addr.arpa");
}
