import { controlFilesOf } from "../../config/schema.ts";
import { socketsForWays } from "../lib/filters/chain.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";
import { asksOf } from "../lib/server/asks.ts";
import { hasLowPort, placeOf, type TcpListening, tcpListeningOf } from "../lib/server/listening.ts";
import { tlsPaths } from "../lib/tls/paths.ts";
import type { QmtpService } from "./house.ts";

const name = "qmail-qmtpd";

/** The services of control/listeners that are this component's. */
const services: readonly QmtpService[] = ["qmtp", "qmtps"];

/** Where it listens. */
export function listeningOf(
  { controls, portOffset }: Pick<Config, "controls" | "portOffset">,
): TcpListening<QmtpService>[] {
  return tcpListeningOf(services, controls.listeners, portOffset);
}

/**
 * qmail-qmtpd's grant: its ports, its control files, the queue, the one who knows the mailboxes, and whom its control files
 * give it a reason to ask. Where a port is below 1024 it is started as root, binds, and gives that up.
 */
function permissions(config: Config): Grant {
  const { home, controls } = config;
  const listening = listeningOf(config);
  const asks = asksOf(controls, home);
  const hasTls = listening.some(({ entrance }) => entrance === "qmtps");
  return {
    listen: [...new Set(listening.map(placeOf))],
    read: [...controlPaths(home, controlFilesOf(name)), ...(hasTls ? tlsPaths(home) : [])],
    calls: [
      ...new Set([
        ...socketsForWays(controls.filters, ["qmtp"]),
        "qmail-getpw" as const,
        ...(["resolver", "tally", "hooks"] as const).filter((of) => asks[of]),
      ]),
    ],
    ...(hasLowPort(listening) ? { sys: ["setgid", "setuid"] } : {}),
    // Deno lets a successor listen beside it with this flag only.
    unstable: ["net"],
  };
}

export const manifest: Manifest = {
  name,
  job: "QMTP server: takes mail from the network and hands it to qmail-queue",
  account: "qmaild",
  startedBy: "supervisor",
  stopOrder: 1,
  overlaps: true,
  permissions,
  neededWhen: (config) => listeningOf(config).length > 0,
  neededWords: "a listener of qmtp or qmtps is there",
  bindsLowPort: (config) => hasLowPort(listeningOf(config)),
};
