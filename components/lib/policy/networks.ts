/**
 * Clients' addresses, and lists of addresses and networks that they are looked up in. A lookup costs one probe for each
 * length of prefix in the list, however long that is.
 * @module
 */
import { groupsOf, type IpAddress } from "../../../config/ip/address.ts";
import { formatIp } from "../../../config/ip/format_ip.ts";
import { type IpNetwork, parseClientNetwork } from "../../../config/ip/network.ts";
import { parseClientIp, parseIpv6 } from "../../../config/ip/parse_ip.ts";
import { reversedLabels } from "../../../config/ip/reverse_name.ts";

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
  const ip = parseClientIp(address);
  return ip === undefined ? "unknown" : formatIp(ip);
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
      const { address, bits } = parseGoodLine(line);
      const { prefixes } = this.#family(address);
      const keys = prefixes.get(bits) ?? new Set();
      prefixes.set(bits, keys.add(prefixKey(address.octets, bits)));
    }
  }

  /** Whether `ip`, as {@link clientAddress} writes it, is one of them or lies in one. */
  has(ip: string): boolean {
    const address = this.isEmpty ? undefined : parseClientIp(ip);
    if (address === undefined) return false;
    for (const [bits, keys] of this.#family(address).prefixes) {
      if (keys.has(prefixKey(address.octets, bits))) return true;
    }
    return false;
  }

  #family({ kind }: IpAddress): Family {
    return this.#families[kind === "ipv4" ? 0 : 1]!;
  }
}

function parseGoodLine(line: string): IpNetwork {
  const network = parseClientNetwork(line);
  if (network === undefined) throw new Error(`No address or network: ${JSON.stringify(line)}`);
  return network;
}

/**
 * Whom `ip` stands for where clients are counted: the address itself, or the first 64 bits of an IPv6 address, as one host
 * has all that follow.
 */
export function networkOf(ip: string): string {
  const address = ip.includes(":") ? parseIpv6(ip) : undefined;
  if (address === undefined) return ip;
  const groups = groupsOf(address).slice(0, 4).map((group) => group.toString(16));
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
  const address = parseClientIp(ip);
  return address && `${reversedLabels(address)}.${zone}`;
}
