/**
 * custom's grant: its socket and those behind it. A filter of the operator's own is one file that deno has to read; the
 * sample needs nothing.
 * @module
 */
import { filterNeeded, filterSockets } from "../lib/filters/manifest.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";

function permissions(config: Config): Grant {
  const { home, controls: { customfilter } } = config;
  return {
    ...filterSockets(config, "custom"),
    ...(customfilter === "" ? {} : { read: [...controlPaths(home, ["customfilter"]), customfilter] }),
  };
}

export const manifest: Manifest = {
  name: "custom",
  job: "runs a filter of the operator's own, in TypeScript",
  account: "qmaild",
  startedBy: "supervisor",
  stopOrder: 3,
  permissions,
  neededWhen: filterNeeded("custom"),
  neededWords: "custom is named in filters",
};
