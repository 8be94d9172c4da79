import { isUsed, socketsBehind } from "../lib/filters/chain.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";
import { scannerGrant } from "../lib/scanners/address.ts";

/** milter's grant: the addresses of the milters, and those behind it in a chain. */
function permissions({ home, controls }: Config): Grant {
  return {
    read: controlPaths(home, ["me", "milters"]),
    ...scannerGrant(controls.milters.map(({ address }) => address)),
    serves: ["milter"],
    calls: socketsBehind(controls.filters, "milter"),
  };
}

export const manifest: Manifest = {
  name: "milter",
  job: "filter: asks the operator's milters about mail on its way into the queue",
  account: "qmaild",
  startedBy: "supervisor",
  stopOrder: 1,
  permissions,
  neededWhen: ({ controls }) => isUsed(controls.filters, "milter"),
  neededWords: "control/filters names it",
  defects: ({ controls }) =>
    isUsed(controls.filters, "milter") && controls.milters.length === 0
      ? ["control/filters names milter, and control/milters names none"]
      : [],
};
