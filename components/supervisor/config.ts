/**
 * What the grants are computed from: the control files and what this machine has, read together.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { hasGlobalIpv6 } from "../../config/ipv6.ts";
import { manifests } from "../../config/manifests.ts";
import { nameserversOf } from "../../config/nameservers.ts";
import { readControls } from "../../config/read.ts";
import { type ControlFile, schema } from "../../config/schema.ts";
import type { Config } from "../lib/permissions/grant.ts";
import { breaches } from "../lib/permissions/rule.ts";
import { readText } from "./grants.ts";

/** What the grants are computed from, or what is wrong with the control files. */
export function readConfig(home: Home, portOffset: number): Config | readonly string[] {
  const controls = readControls(home, Object.keys(schema) as ControlFile[]);
  if (!controls.ok) return controls.error;
  const nameservers = nameserversOf(controls.value, readText("/etc/resolv.conf"));
  const globalIpv6 = hasGlobalIpv6(Deno.networkInterfaces().map(({ address }) => address));
  const config = { home, portOffset, controls: controls.value, nameservers, globalIpv6 };
  // A path in a control file could ask for more than any component may have.
  const found = [
    ...breaches(manifests, config).map((breach) => `Cannot use the control files: ${breach}`),
    ...manifests.flatMap(({ defects }) => defects?.(config) ?? []),
  ];
  return found.length === 0 ? config : found;
}

/**
 * As {@link readConfig}, for a running queue: its folders stay as they are, so a control file that says something else is
 * a defect, too.
 */
export function readOwnConfig(home: Home, portOffset: number): Config | readonly string[] {
  const config = readConfig(home, portOffset);
  if (!isConfig(config) || config.controls.queuesplit === home.queueSplit) return config;
  const { queuesplit } = config.controls;
  return [
    `Cannot use control file "queuesplit": expected ${home.queueSplit}, the split of the running queue, got "${queuesplit}"`,
  ];
}

/** Whether it was read, and is no list of what is wrong. */
export function isConfig(config: Config | readonly string[]): config is Config {
  return !Array.isArray(config);
}
