import { controlFilesOf } from "../../config/schema.ts";
import type { Listener } from "../../config/values.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";
import { hasLowPort, placeOf, type TcpListening, tcpListeningOf } from "../lib/server/listening.ts";
import { tlsPaths } from "../lib/tls/paths.ts";

const name = "qmail-popup";

/** The services of control/listeners that are this component's. */
const entrances = ["pop3", "pop3s"] as const;
export type Pop3Entrance = (typeof entrances)[number];

/** Where it listens, with the offset on each port that is not left to the system. */
export function listeningOf(listeners: readonly Listener[], portOffset: number): TcpListening<Pop3Entrance>[] {
  return tcpListeningOf(entrances, listeners, portOffset);
}

function bindsLowPort({ controls, portOffset }: Config): boolean {
  return hasLowPort(listeningOf(controls.listeners, portOffset));
}

/**
 * qmail-popup's grant: its ports, its control files, who knows the passwords and who reads the mailboxes. Where a port is
 * below 1024 it is started as root, binds, and gives that up.
 */
function permissions(config: Config): Grant {
  const { home, controls, portOffset } = config;
  return {
    listen: [...new Set(listeningOf(controls.listeners, portOffset).map(placeOf))],
    read: [...controlPaths(home, controlFilesOf(name)), ...tlsPaths(home)],
    calls: ["qmail-pop3d", "qmail-pop3spawn", ...(controls.smtpauth.length > 0 ? ["auth" as const] : [])],
    ...(bindsLowPort(config) ? { sys: ["setgid", "setuid"] } : {}),
    // Deno lets a successor listen beside it with this flag only.
    unstable: ["net"],
  };
}

export const manifest: Manifest = {
  name,
  job: "POP3 server: logs clients in and hands their commands to qmail-pop3d",
  account: "qmaild",
  startedBy: "supervisor",
  stopOrder: 1,
  overlaps: true,
  permissions,
  neededWhen: ({ controls }) => listeningOf(controls.listeners, 0).length > 0,
  neededWords: "a listener of pop3 or pop3s is there",
  bindsLowPort,
};
