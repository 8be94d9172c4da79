import { isUsed, socketsBehind } from "../lib/filters/chain.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";
import { scannerGrant } from "../lib/scanners/address.ts";

/** rspamd's grant: one address, and those behind it in a chain. */
function permissions({ home, controls }: Config): Grant {
  return {
    read: controlPaths(home, ["rspamd"]),
    ...scannerGrant([controls.rspamd]),
    serves: ["rspamd"],
    calls: socketsBehind(controls.filters, "rspamd"),
  };
}

export const manifest: Manifest = {
  name: "rspamd",
  job: "filter: asks the operator's rspamd about mail on its way into the queue",
  account: "qmaild",
  startedBy: "supervisor",
  stopOrder: 1,
  permissions,
  neededWhen: ({ controls }) => isUsed(controls.filters, "rspamd"),
  neededWords: "control/filters names it",
};
