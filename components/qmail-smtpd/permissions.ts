import { resolve } from "@std/path";
import { controlFilesOf } from "../../config/schema.ts";
import { type Endpoint, type Listener, tcpListeners } from "../../config/values.ts";
import type { Home } from "../../config/home.ts";
import { type Config, controlPaths, type Grant, type Manifest, netAddress } from "../lib/permissions/grant.ts";
import type { Entrance } from "../lib/policy/decision.ts";
import { tlsPaths } from "../lib/tls/files.ts";
import { asksOf } from "./asks.ts";

const name = "qmail-smtpd";

/** The services of control/listeners that are this component's, which are the entrances a policy knows. */
const entrances: readonly Entrance[] = ["smtp", "submission", "submissions", "lmtp"];

/** One place to listen at. */
export type Listening =
  | ({ readonly kind: "tcp"; readonly entrance: Entrance; readonly proxy: boolean } & Endpoint)
  | { readonly kind: "unix"; readonly entrance: "lmtp"; readonly path: string };

/** Where it listens, with the offset on each port that is not left to the system. */
export function listeningOf(listeners: readonly Listener[], portOffset: number, home: Home): Listening[] {
  const tcp = entrances.flatMap((entrance) =>
    tcpListeners(listeners, entrance).map(({ host, port, proxy }): Listening => ({
      kind: "tcp",
      entrance,
      proxy: proxy === true,
      host,
      port: port === 0 ? 0 : port + portOffset,
    }))
  );
  return [...tcp, ...lmtpSockets(listeners, home).map((path) => ({ kind: "unix", entrance: "lmtp", path } as const))];
}

/** The Unix sockets among the listeners, by absolute path. */
export function lmtpSockets(listeners: readonly Listener[], home: Home): string[] {
  return listeners.flatMap((listener) => "path" in listener ? [resolve(home.run(), listener.path)] : []);
}

/** The place alone, as a grant has it. */
export function placeOf(listening: Listening): string {
  return listening.kind === "unix" ? listening.path : netAddress(listening);
}

function placesOf(config: Config, kind: Listening["kind"]): string[] {
  const listening = listeningOf(config.controls.listeners, config.portOffset, config.home);
  return [...new Set(listening.filter((one) => one.kind === kind).map(placeOf))];
}

function bindsLowPort({ controls, portOffset, home }: Config): boolean {
  return listeningOf(controls.listeners, portOffset, home).some((one) =>
    one.kind === "tcp" && one.port >= 1 && one.port <= 1023
  );
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
      "qmail-queue",
      "qmail-getpw",
      ...(["resolver", "auth", "tally", "hooks"] as const).filter((of) => asks[of]),
    ],
    ...(sockets.length > 0 ? { servesPaths: sockets } : {}),
    ...(bindsLowPort(config) ? { sys: ["setgid", "setuid"] } : {}),
    // Deno lets several processes listen on one port with this flag only.
    ...(controls.smtpdprocesses > 1 ? { unstable: ["net"] } : {}),
  };
}

export const manifest: Manifest = {
  name,
  job: "SMTP server: takes mail from the network and hands it to qmail-queue",
  account: "qmaild",
  startedBy: "supervisor",
  stopOrder: 1,
  permissions,
  instances: ({ controls }) => controls.smtpdprocesses,
  bindsLowPort,
};
