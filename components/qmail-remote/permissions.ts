/**
 * qmail-remote's grant: it reads its files nowhere, starts no program, and of the network has only the ports mail goes to:
 * by MX the public addresses of IPv4 (with control/mxprivate any), and what a route names: an address as it is, a name's
 * port at any address, for its address is only known when it is looked up. IPv6 is reached through dial6, but for relays
 * that a route names by address.
 * @module
 */
import { usesIpv6 } from "../../config/ipv6.ts";
import { isAddress } from "../../config/values.ts";
import { type Config, type Grant, type Manifest, netAddress, publicHost } from "../lib/permissions/grant.ts";

/** The port of QMTP by MX. */
const qmtpPort = 209;

function permissions(config: Config): Grant {
  const { controls } = config;
  const { authsenders, domainips, outgoingip, qmtproutes, smtproutes } = controls;
  const relays = [...authsenders.values(), ...qmtproutes.values(), ...smtproutes.values()]
    .filter((route) => route !== undefined);
  const anywhere = "0.0.0.0/0";
  const byMx = controls.mxprivate ? anywhere : publicHost;
  const connect = [
    netAddress({ host: byMx, port: controls.remoteport }),
    ...controls.mxps ? [netAddress({ host: byMx, port: qmtpPort })] : [],
    ...relays.map(({ host, port }) => netAddress({ host: isAddress(host) ? host : anywhere, port })),
  ];
  // Over IPv6 it is dial6 that connects, but to such relays.
  const connectsOverSix = relays.some(({ host }) => host.includes(":"));
  const leavesFrom = [...outgoingip, ...[...domainips.values()].flatMap(({ addresses }) => addresses)]
    .filter((address) => connectsOverSix || !address.includes(":"));
  return {
    connect: [...new Set(connect)],
    ...(leavesFrom.length === 0
      ? {}
      : { listen: [...new Set(leavesFrom)].map((host) => netAddress({ host, port: 0 })) }),
    serves: ["qmail-remote", "remote-status"],
    calls: [
      "resolver",
      ...usesIpv6(config) ? ["dial6" as const] : [],
      ...controls.mtasts ? ["mta-sts" as const] : [],
      ...controls.tlsrpt ? ["tlsrpt" as const] : [],
    ],
    // Whether an MX is this machine itself.
    sys: ["networkInterfaces"],
  };
}

/** What the supervisor, the unit generator and the tests know about qmail-remote. */
export const manifest: Manifest = {
  name: "qmail-remote",
  job: "SMTP client: sends messages to other hosts",
  account: "qmailr",
  startedBy: "supervisor",
  onDemand: true,
  stopOrder: 3,
  permissions,
};
