import { controlFilesOf } from "../../config/schema.ts";
import { socketsForWays } from "../lib/filters/chain.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";
import { hasLowPort, placeOf, type TcpListening, tcpListeningOf } from "../lib/server/listening.ts";
import { listeningDefects } from "./clients.ts";

const name = "qmail-qmqpd";

/** Where it listens. */
export function listeningOf({ controls, portOffset }: Pick<Config, "controls" | "portOffset">): TcpListening<"qmqp">[] {
  return tcpListeningOf(["qmqp"], controls.listeners, portOffset);
}

/** qmail-qmqpd's grant: its ports, its control files, the queue. */
function permissions(config: Config): Grant {
  const listening = listeningOf(config);
  return {
    listen: [...new Set(listening.map(placeOf))],
    read: controlPaths(config.home, controlFilesOf(name)),
    calls: socketsForWays(config.controls.filters, ["qmqp"]),
    ...(hasLowPort(listening) ? { sys: ["setgid", "setuid"] } : {}),
    // Deno lets a successor listen beside it with this flag only.
    unstable: ["net"],
  };
}

export const manifest: Manifest = {
  name,
  job: "QMQP server: takes mail for anybody from the hosts of control/qmqpclients",
  account: "qmaild",
  startedBy: "supervisor",
  stopOrder: 1,
  overlaps: true,
  permissions,
  neededWhen: (config) => listeningOf(config).length > 0,
  neededWords: "a listener of qmqp is there",
  bindsLowPort: (config) => hasLowPort(listeningOf(config)),
  defects: (config) => listeningDefects(listeningOf(config), config.controls.qmqpclients),
};
