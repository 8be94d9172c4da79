/**
 * admin's grant: its own control files, its addresses on loopback, the sockets of those it asks and commands.
 * @module
 */
import { isLoopback } from "../../config/ip/ranges.ts";
import { controlFilesOf } from "../../config/schema.ts";
import { controlPaths, type Manifest, netAddress } from "../lib/permissions/grant.ts";
import { adminEndpoints } from "./listeners.ts";

/** The sockets it asks; on send-control it also gives commands. */
export const askedSockets = [
  ...["supervisor-status", "queue-status", "send-status", "send-control", "multilog", "qread", "resolver"] as const,
];

export const manifest: Manifest = {
  name: "admin",
  job: "the operator's pages and API, health check and metrics, on loopback",
  account: "qmailw",
  startedBy: "supervisor",
  stopOrder: 1,
  permissions: ({ home, controls, portOffset }) => ({
    read: controlPaths(home, controlFilesOf("admin")),
    // An address outside loopback makes the start fail (run.ts); it is not granted either.
    listen: adminEndpoints(controls.listeners, portOffset).filter(({ host }) => isLoopback(host)).map(netAddress),
    calls: askedSockets,
  }),
  neededWhen: ({ controls }) => controls.listeners.some(({ service }) => service === "admin"),
  neededWords: "a listener of admin is there",
};
