import { controlFilesOf } from "../../config/schema.ts";
import type { Endpoint, Listener } from "../../config/values.ts";
import { type Config, controlPaths, type Grant, type Manifest, netAddress } from "../lib/permissions/grant.ts";

const name = "qmail-smtpd";

/** Where it listens: the `smtp` lines of control/listeners, with the offset on each port that is not left to the system. */
export function smtpEndpoints(listeners: readonly Listener[], portOffset: number): Endpoint[] {
  return listeners.filter(({ service }) => service === "smtp").map(({ host, port }) => ({
    host,
    port: port === 0 ? 0 : port + portOffset,
  }));
}

function bindsLowPort({ controls, portOffset }: Config): boolean {
  return smtpEndpoints(controls.listeners, portOffset).some(({ port }) => port >= 1 && port <= 1023);
}

/**
 * qmail-smtpd's grant: its ports, its control files, the queue and the one who knows the mailboxes. Where a port is below
 * 1024 it is started as root, binds, and gives that up.
 */
function permissions(config: Config): Grant {
  const { home, portOffset, controls } = config;
  return {
    listen: smtpEndpoints(controls.listeners, portOffset).map(netAddress),
    read: controlPaths(home, controlFilesOf(name)),
    calls: ["qmail-queue", "qmail-getpw"],
    ...(bindsLowPort(config) ? { sys: ["setgid", "setuid"] } : {}),
  };
}

export const manifest: Manifest = {
  name,
  job: "SMTP server: takes mail from the network and hands it to qmail-queue",
  account: "qmaild",
  startedBy: "supervisor",
  stopOrder: 1,
  permissions,
  bindsLowPort,
};
