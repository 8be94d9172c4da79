import { socketsForWays } from "../lib/filters/chain.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";

/** tlsrpt's grant: its folder and control files, the way of local mail into the queue, the resolver, and who has policies kept. */
function permissions({ home, controls }: Config): Grant {
  return {
    read: [
      ...controlPaths(home, ["me", "tlsrpt", "tlsrptfrom", "filters", "filterbytes", "filterlarge"]),
      home.tlsrpt(),
    ],
    write: [home.tlsrpt()],
    serves: ["tlsrpt", ...(controls.mtasts ? ["sts-memory" as const] : [])],
    calls: [...socketsForWays(controls.filters, ["local"]), "resolver"],
    // Said of it in the Received field of a report.
    sys: ["uid"],
  };
}

export const manifest: Manifest = {
  name: "tlsrpt",
  job: "counts how TLS went, sends other domains the report of each day, and keeps mta-sts's policies over a restart",
  account: "qmaill",
  startedBy: "supervisor",
  stopOrder: 4,
  permissions,
  neededWhen: ({ controls }) => controls.tlsrpt,
  neededWords: "tlsrpt is 1",
};
