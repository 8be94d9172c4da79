/**
 * Whether mail leaves over IPv6, too: one pure function, for the grants of all who have a part in it.
 * @module
 */
import { contains, parseNetwork } from "./ip/network.ts";
import { parseIpv6 } from "./ip/parse_ip.ts";
import type { Controls } from "./schema.ts";

/** Addresses of the Internet (RFC 4291 §2.4, as far as it is given out). */
export const globalNetwork = "[2000::]/3";
/** Those of a site's own (RFC 4193). */
export const siteNetwork = "[fc00::]/7";
/** This machine. */
export const loopbackNetwork = "[::1]/128";

/** Whether one of a machine's addresses is of the Internet's IPv6: without one nobody there could answer. */
export function hasGlobalIpv6(addresses: readonly string[]): boolean {
  const network = parseNetwork(globalNetwork.replace(/[[\]]/g, ""))!;
  return addresses.some((address) => {
    const ip = parseIpv6(address);
    return ip !== undefined && contains(network, ip);
  });
}

/** What control/ipv6 comes to on this machine; one that is not known to have a global address has none. */
export function usesIpv6(
  { controls, globalIpv6 = false }: { readonly controls: Pick<Controls, "ipv6">; readonly globalIpv6?: boolean },
): boolean {
  return controls.ipv6 === "1" || (controls.ipv6 === "auto" && globalIpv6);
}
