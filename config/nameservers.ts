/**
 * Which DNS servers are asked. One pure function, used by the resolver that asks them and by whoever computes its
 * grant, so that the two cannot disagree.
 * @module
 */
import type { Controls } from "./schema.ts";
import { type Endpoint, isAddress } from "./values.ts";

/** Where the machine keeps its name servers; read only when control/nameservers names none. */
export const resolvConfPath = "/etc/resolv.conf";

const dnsPort = 53;
/** Like the C library: further ones are not looked at. */
const mostOfTheMachine = 3;

/**
 * control/nameservers, else those of resolv.conf, else this machine, each once. `resolvConf` is that file's text,
 * `undefined` where there is none or where it does not matter.
 */
export function nameserversOf(
  controls: Pick<Controls, "nameservers">,
  resolvConf: string | undefined,
): readonly Endpoint[] {
  if (controls.nameservers.length > 0) return withoutRepeats(controls.nameservers);
  const found = (resolvConf ?? "").split("\n").flatMap(serverOfLine).slice(0, mostOfTheMachine);
  return found.length > 0 ? withoutRepeats(found) : [{ host: "127.0.0.1", port: dnsPort }];
}

function serverOfLine(line: string): Endpoint[] {
  const [keyword, host = ""] = line.split(/[ \t\r]/).filter((word) => word !== "");
  // A link-local address with its interface (fe80::1%eth0) cannot be written in a grant.
  if (keyword !== "nameserver" || !isAddress(host) || host.includes("%")) return [];
  return [{ host: host.toLowerCase(), port: dnsPort }];
}

function withoutRepeats(servers: readonly Endpoint[]): readonly Endpoint[] {
  return servers.filter((server, at) =>
    servers.findIndex((s) => s.host === server.host && s.port === server.port) === at
  );
}
