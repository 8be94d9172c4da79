/**
 * Where systemd starts the components: writes their grants before they start and at a reload, and tells what a reload
 * means for each unit.
 * @module
 */
import type { Home } from "../../../config/home.ts";
import { manifests } from "../../../config/manifests.ts";
import { ifThere } from "../../lib/disk/if_there.ts";
import { type Config, instancesOf } from "../../lib/permissions/grant.ts";
import { writeGrants } from "../grants.ts";
import type { Runtime } from "../launcher.ts";
import { instanceName } from "../run.ts";

/** What systemctl is to do with a unit: its words. */
export type UnitAction = "start" | "restart" | "reload" | "stop";

/** One unit, and what is to be done with it. */
export interface Change {
  readonly action: UnitAction;
  /** The component's process. */
  readonly name: string;
}

/** What becomes of a component's process whose grant was or was not there, and is or is not the same. */
export function actionFor({ before, needed, changed }: Readonly<Record<"before" | "needed" | "changed", boolean>>):
  | UnitAction
  | undefined {
  if (!needed) return before ? "stop" : undefined;
  if (!before) return "start";
  return changed ? "restart" : "reload";
}

/** Writes all grants; answers what is to be done with the units, in the order in which they start. */
export function refreshGrants(home: Home, config: Config, runtime: Runtime): readonly Change[] {
  const started = manifests.filter(({ startedBy }) => startedBy !== "start")
    .sort((a, b) => b.stopOrder - a.stopOrder);
  return started.flatMap((manifest): Change[] => {
    const before = ifThere(() => Deno.statSync(home.libexec("grants", manifest.name))) !== undefined;
    const count = instancesOf(manifest, config);
    const changed = writeGrants(manifest, config, runtime);
    const action = actionFor({ before, needed: count > 0, changed });
    if (manifest.startedBy !== "supervisor" || action === undefined) return [];
    // A unit whose component is not needed any more is one of the first; that of a further process goes with it.
    return Array.from({ length: Math.max(1, count) }, (_, at) => ({ action, name: instanceName(manifest, at + 1) }));
  });
}

/** A line for each: `restart qmail-smtpd`. */
export function formatChanges(changes: readonly Change[]): string {
  return changes.map(({ action, name }) => `${action} ${name}\n`).join("");
}
