import { filterNeeded, filterSockets } from "../lib/filters/manifest.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";

/** verify's grant: its control files, the resolver, who gets the message next, and dmarcrpt where reports are made. */
function permissions(config: Config): Grant {
  const { home, controls } = config;
  const { serves, calls } = filterSockets(config, "verify");
  return {
    read: controlPaths(home, ["me", "authservid", "dmarc", "receivedspf", "spfbehavior"]),
    serves,
    calls: ["resolver", ...calls, ...(controls.dmarcrpt ? ["dmarcrpt" as const] : [])],
  };
}

export const manifest: Manifest = {
  name: "verify",
  job: "checks mail by SPF, DKIM, DMARC and ARC, and says in its header what was found",
  account: "qmaild",
  startedBy: "supervisor",
  stopOrder: 3,
  permissions,
  neededWhen: filterNeeded("verify"),
  neededWords: "verify is named in filters",
};
