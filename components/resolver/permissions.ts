import { resolvConfPath } from "../../config/nameservers.ts";
import { type Config, controlPaths, type Grant, type Manifest, netAddress } from "../lib/permissions/grant.ts";
import { localEndOf } from "./name_servers.ts";

function permissions(config: Config): Grant {
  const { home, nameservers, controls } = config;
  return {
    read: [
      ...controlPaths(home, ["nameservers", "trustad"]),
      ...(controls.nameservers.length === 0 ? [resolvConfPath] : []),
    ],
    listen: [...new Set(nameservers.map((server) => netAddress(localEndOf(server))))],
    connect: nameservers.map(netAddress),
    serves: ["resolver"],
  };
}

/** The resolver's grant and place. */
export const manifest: Manifest = {
  name: "resolver",
  job: "caching DNS stub for all the others",
  account: "qmaild",
  startedBy: "supervisor",
  onDemand: true,
  stopOrder: 5,
  permissions,
};
