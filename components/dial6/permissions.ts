/**
 * dial6's grant: to connect to addresses of the Internet's IPv6 at the ports mail goes to, and nothing else. Deno's flags
 * know no networks of IPv6, so the supervisor decides (`broker`).
 * @module
 */
import { globalNetwork, loopbackNetwork, siteNetwork, usesIpv6 } from "../../config/ipv6.ts";
import type { Controls } from "../../config/schema.ts";
import { isAddress } from "../../config/values.ts";
import { type Config, type Grant, type Manifest, netAddress } from "../lib/permissions/grant.ts";

/** Where exchangers speak QMTP (MXPS). */
const qmtpPort = 209;

function permissions({ controls }: Config): Grant {
  // A relay that is named by address is in qmail-remote's own grant.
  const relays = [
    ...[...controls.smtproutes.values(), ...controls.qmtproutes.values(), ...controls.authsenders.values()],
  ].filter((route) => route !== undefined && !isAddress(route.host));
  const relayPorts = relays.map((route) => route!.port);
  const ports = [controls.remoteport, ...(controls.mxps ? [qmtpPort] : []), ...relayPorts];
  // As for IPv4: a relay may have an address of the site's own, an exchanger only where control/mxprivate says so.
  const sitePorts = controls.mxprivate ? ports : relayPorts;
  const loopbackPorts = controls.mxprivate ? ports : [];
  const at = (network: string, ports: readonly number[]) => [...new Set(ports)].map((port) => `${network}:${port}`);
  return {
    listen: localAddressesOf(controls).map((host) => netAddress({ host, port: 0 })),
    connect: [...at(globalNetwork, ports), ...at(siteNetwork, sitePorts), ...at(loopbackNetwork, loopbackPorts)],
    serves: ["dial6"],
    broker: "dial6-permissions",
  };
}

/** The IPv6 addresses of this machine that mail is to leave from. */
function localAddressesOf({ domainips, outgoingip }: Controls): string[] {
  const all = [...outgoingip, ...[...domainips.values()].flatMap(({ addresses }) => addresses)];
  return [...new Set(all.filter((address) => address.includes(":")))];
}

/** dial6's grant and place. */
export const manifest: Manifest = {
  name: "dial6",
  job: "connects to IPv6 addresses for qmail-remote",
  account: "qmailr",
  startedBy: "supervisor",
  // After qmail-remote, whose connections go through it.
  stopOrder: 4,
  permissions,
  neededWhen: usesIpv6,
  neededWords: "mail leaves over IPv6 (control/ipv6)",
};
