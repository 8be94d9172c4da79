import { isUsed, socketsBehind } from "../lib/filters/chain.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";
import { scannerGrant } from "../lib/scanners/address.ts";

/** clamd's grant: one address, and those behind it in a chain. */
function permissions({ home, controls }: Config): Grant {
  return {
    read: controlPaths(home, ["clamd"]),
    ...scannerGrant([controls.clamd.address]),
    serves: ["clamd"],
    calls: socketsBehind(controls.filters, "clamd"),
  };
}

export const manifest: Manifest = {
  name: "clamd",
  job: "filter: asks the operator's clamd about mail on its way into the queue",
  account: "qmaild",
  startedBy: "supervisor",
  stopOrder: 1,
  permissions,
  neededWhen: ({ controls }) => isUsed(controls.filters, "clamd"),
  neededWords: "control/filters names it",
};
