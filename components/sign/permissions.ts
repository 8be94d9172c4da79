import { controlFilesOf } from "../../config/schema.ts";
import { chainFor, isUsed } from "../lib/filters/chain.ts";
import { filterNeeded, filterSockets } from "../lib/filters/manifest.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";

/** sign's grant: its key folder and control files, its two sockets and those behind it. */
function permissions(config: Config): Grant {
  const { home } = config;
  const [sign, arcseal] = [filterSockets(config, "sign"), filterSockets(config, "arcseal")];
  return {
    read: [...controlPaths(home, controlFilesOf("sign")), home.dkim()],
    serves: [...sign.serves, ...arcseal.serves],
    calls: [...new Set([...sign.calls, ...arcseal.calls])],
  };
}

export const manifest: Manifest = {
  name: "sign",
  job: "signs mail of our own (DKIM), and seals what is sent on (ARC)",
  // No process of this account reaches the network or runs a program.
  account: "qmaill",
  startedBy: "supervisor",
  stopOrder: 3,
  permissions,
  neededWhen: (config) => filterNeeded("sign")(config) || filterNeeded("arcseal")(config),
  // What strangers say in our name would be sealed as ours.
  defects: ({ controls: { filters } }) =>
    isUsed(filters, "arcseal") && !chainFor(filters, "smtp").some(({ name }) => name === "verify")
      ? ["control/filters: arcseal seals what verify has found, and verify is not in the line of smtp"]
      : [],
  neededWords: "sign or arcseal is named in filters",
};
