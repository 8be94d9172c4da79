import { resolve } from "@std/path";
import { controlFilesOf } from "../../config/schema.ts";
import type { Listener } from "../../config/values.ts";
import type { Home } from "../../config/home.ts";
import { type HopSocket, socketsForWays } from "../lib/filters/chain.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";
import type { Entrance } from "../lib/policy/decision.ts";
import { hasLowPort, placeOf, type TcpListening, tcpListeningOf, type UnixListening } from "../lib/server/listening.ts";
import { tlsPaths } from "../lib/tls/paths.ts";
import { asksOf } from "../lib/server/asks.ts";

const name = "qmail-smtpd";

/** The services of control/listeners that are this component's, which are the entrances a policy knows. */
const entrances: readonly Entrance[] = ["smtp", "submission", "submissions", "lmtp"];

/** One place to listen at. */
export type Listening = TcpListening<Entrance> | UnixListening<"lmtp">;

/** Where it listens, with the offset on each port that is not left to the system. */
export function listeningOf(listeners: readonly Listener[], portOffset: number, home: Home): Listening[] {
  const tcp = tcpListeningOf(entrances, listeners, portOffset);
  return [...tcp, ...lmtpSockets(listeners, home).map((path) => ({ kind: "unix", entrance: "lmtp", path } as const))];
}

/** The Unix sockets among the listeners, by absolute path. */
export function lmtpSockets(listeners: readonly Listener[], home: Home): string[] {
  return listeners.flatMap((listener) => "path" in listener ? [resolve(home.run(), listener.path)] : []);
}

function placesOf(config: Config, kind: Listening["kind"]): string[] {
  const listening = listeningOf(config.controls.listeners, config.portOffset, config.home);
  return [...new Set(listening.filter((one) => one.kind === kind).map(placeOf))];
}

function bindsLowPort({ controls, portOffset, home }: Config): boolean {
  return hasLowPort(listeningOf(controls.listeners, portOffset, home));
}

/** Whom messages go to first: where all ways in have filters that nobody may pass over, qmail-queue is out of reach. */
function handsTo({ filters, listeners }: Config["controls"]): readonly HopSocket[] {
  return socketsForWays(filters, entrances.filter((entrance) => listeners.some(({ service }) => service === entrance)));
}

/**
 * qmail-smtpd's grant: its ports and sockets, its control files, the queue, the one who knows the mailboxes, and whom its
 * control files give it a reason to ask. Where a port is below 1024 it is started as root, binds, and gives that up.
 */
function permissions(config: Config): Grant {
  const { home, controls } = config;
  const sockets = placesOf(config, "unix");
  const asks = asksOf(controls, home);
  return {
    listen: placesOf(config, "tcp"),
    read: [...controlPaths(home, controlFilesOf(name)), ...tlsPaths(home)],
    calls: [
      ...new Set([
        ...handsTo(controls),
        "qmail-getpw" as const,
        ...(["resolver", "auth", "tally", "hooks"] as const).filter((of) => asks[of]),
      ]),
    ],
    ...(sockets.length > 0 ? { servesPaths: sockets } : {}),
    ...(bindsLowPort(config) ? { sys: ["setgid", "setuid"] } : {}),
    // Deno lets several processes listen on one port with this flag only: several for good, or a successor beside it.
    unstable: ["net"],
  };
}

export const manifest: Manifest = {
  name,
  job: "SMTP server: takes mail from the network and hands it to qmail-queue",
  account: "qmaild",
  startedBy: "supervisor",
  startsFirst: true,
  stopOrder: 1,
  overlaps: true,
  permissions,
  neededWhen: ({ controls, portOffset, home }) => listeningOf(controls.listeners, portOffset, home).length > 0,
  neededWords: "a listener of smtp, submission, submissions or lmtp is there",
  instances: ({ controls }) => controls.smtpdprocesses,
  bindsLowPort,
};
