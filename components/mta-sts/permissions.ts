/**
 * mta-sts's grant: its control files, the resolver, tlsrpt where that keeps its policies, and one port of every public IPv4 address (with control/mxprivate of
 * any). Names cannot be granted, for whose policies are wanted is not known; hosts.ts decides which addresses are dialled.
 * IPv6 takes more than flags in Deno, so a policy that is only there is not reached.
 * @module
 */
import {
  type Config,
  controlPaths,
  type Grant,
  type Manifest,
  netAddress,
  publicHost,
} from "../lib/permissions/grant.ts";

function permissions({ home, controls }: Config): Grant {
  return {
    read: controlPaths(home, ["mtasts", "mtastsport", "mxprivate", "tlsclientca"]),
    connect: [netAddress({ host: controls.mxprivate ? "0.0.0.0/0" : publicHost, port: controls.mtastsport })],
    serves: ["mta-sts"],
    calls: ["resolver", ...(controls.tlsrpt ? ["sts-memory" as const] : [])],
  };
}

export const manifest: Manifest = {
  name: "mta-sts",
  job: "fetches and remembers the MTA-STS policies of other domains",
  account: "qmaild",
  startedBy: "supervisor",
  onDemand: true,
  stopOrder: 4,
  permissions,
  neededWhen: ({ controls }) => controls.mtasts,
  neededWords: "mtasts is not 0",
};
