import { socketsForWays } from "../lib/filters/chain.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";

/** dmarcrpt's grant: its folder and control files, the way of local mail into the queue, and the resolver. */
function permissions({ home, controls }: Config): Grant {
  return {
    read: [
      ...controlPaths(home, ["me", "dmarcrpt", "dmarcrptfrom", "filters", "filterbytes", "filterlarge"]),
      home.dmarcrpt(),
    ],
    write: [home.dmarcrpt()],
    serves: ["dmarcrpt"],
    calls: [...socketsForWays(controls.filters, ["local"]), "resolver"],
    // Said of it in the Received field of a report.
    sys: ["uid"],
  };
}

export const manifest: Manifest = {
  name: "dmarcrpt",
  job: "counts what verify finds about the mail of other domains, and sends them the report of each day",
  account: "qmaill",
  startedBy: "supervisor",
  stopOrder: 4,
  permissions,
  neededWhen: ({ controls }) => controls.dmarcrpt,
  neededWords: "dmarcrpt is 1",
};
