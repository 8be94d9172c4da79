/**
 * admin's grant: its own control files, its addresses on loopback, the three status sockets; nothing else.
 * @module
 */
import { controlFilesOf } from "../../config/schema.ts";
import { controlPaths, type Manifest, netAddress } from "../lib/permissions/grant.ts";
import { adminEndpoints, isLoopback } from "./listeners.ts";

/** The status sockets it asks. */
export const statusSockets = ["supervisor-status", "queue-status", "send-status"] as const;

export const manifest: Manifest = {
  name: "admin",
  job: "web page, health check and metrics, read-only, on loopback",
  account: "qmaild",
  startedBy: "supervisor",
  stopOrder: 1,
  permissions: ({ home, controls, portOffset }) => ({
    read: controlPaths(home, controlFilesOf("admin")),
    // An address outside loopback makes the start fail (run.ts); it is not granted either.
    listen: adminEndpoints(controls.listeners, portOffset).filter(({ host }) => isLoopback(host)).map(netAddress),
    calls: statusSockets,
  }),
};
