/**
 * What systemd knows of the components' units, as the supervisor would tell it of its children. `systemctl show` prints a
 * block of `NAME=value` lines for each unit, with an empty line between two.
 * @module
 */
import { type Config, flagsOf, instancesOf, type Manifest } from "../../lib/permissions/grant.ts";
import type { ComponentStatus, SupervisorStatus } from "../../lib/wire/status_protocol.ts";

/** What a unit's name begins with: others may have a resolver.service, too. */
export const unitPrefix = "dqmail-";
/** All of them together, for limits of the whole, and for finding what they say in the journal. */
export const unitSlice = "system-dqmail.slice";

/** The properties that are asked for. */
export const shownProperties = [
  "Id",
  "ActiveState",
  "SubState",
  "MainPID",
  "NRestarts",
  "MemoryCurrent",
  "StatusText",
  "ExecMainStartTimestamp",
] as const;
type Property = (typeof shownProperties)[number];
type Shown = Partial<Record<Property, string>>;

/** The units by the component's process. Lines that are none of ours are passed over. */
export function parseStates(text: string): ReadonlyMap<string, Shown> {
  const units = new Map<string, Shown>();
  for (const block of text.split("\n\n")) {
    const shown: Shown = {};
    for (const line of block.split("\n")) {
      const equals = line.indexOf("=");
      const name = line.slice(0, Math.max(0, equals)) as Property;
      if (shownProperties.includes(name)) shown[name] = line.slice(equals + 1);
    }
    const [, name] = /^dqmail-(.+)\.service$/.exec(shown.Id ?? "") ?? [];
    if (name !== undefined) units.set(name, shown);
  }
  return units;
}

/** A whole number of systemd's; 0 where it has none to tell (`[not set]`). */
function numberOf(text: string | undefined): number {
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
}

function stateOf({ ActiveState: active }: Shown): ComponentStatus["state"] {
  switch (active) {
    case "active":
    case "reloading":
      return "running";
    case "activating":
      return "starting";
    case "deactivating":
      return "stopping";
    default:
      return "waiting";
  }
}

/** The ports that it said it listens on when it was ready: the unit's status is that line. */
function portsOf(line: string | undefined): Readonly<Record<string, number>> {
  try {
    const ports: unknown = JSON.parse(line ?? "")["ports"];
    if (typeof ports !== "object" || ports === null) return {};
    return Object.fromEntries(
      Object.entries(ports).filter((entry): entry is [string, number] => Number.isSafeInteger(entry[1])),
    );
  } catch {
    return {};
  }
}

function statusOf(name: string, shown: Shown, manifest: Manifest, uid: number, config: Config, nowMs: number) {
  const state = stateOf(shown);
  const pid = numberOf(shown.MainPID);
  // With --timestamp=unix it is "@SECONDS".
  const startedSeconds = numberOf(shown.ExecMainStartTimestamp?.replace(/^@/, ""));
  return {
    name,
    pid: pid === 0 ? undefined : pid,
    state,
    restarts: numberOf(shown.NRestarts),
    uptimeSeconds: pid === 0 ? 0 : Math.max(0, Math.floor(nowMs / 1000) - startedSeconds),
    rssBytes: numberOf(shown.MemoryCurrent),
    ports: state === "running" ? portsOf(shown.StatusText) : {},
    uid,
    grant: flagsOf(manifest.permissions(config), config.home),
  } satisfies ComponentStatus;
}

export interface StatesOptions {
  readonly manifests: readonly Manifest[];
  readonly uidOf: (manifest: Manifest) => number;
  readonly config: Config;
  readonly pid: number;
  readonly startedMs: number;
  readonly nowMs: number;
}

/** Every process that the settings want, in the order of the manifests, by what systemd says of its unit. */
export function statusFromUnits(shown: ReadonlyMap<string, Shown>, options: StatesOptions): SupervisorStatus {
  const { manifests, uidOf, config, pid, startedMs, nowMs } = options;
  const components = manifests.filter(({ startedBy }) => startedBy === "supervisor").flatMap((manifest) =>
    Array.from({ length: instancesOf(manifest, config) }, (_, at) => {
      const name = at === 0 ? manifest.name : `${manifest.name}-${at + 1}`;
      return statusOf(name, shown.get(name) ?? {}, manifest, uidOf(manifest), config, nowMs);
    })
  );
  return {
    pid,
    startedSeconds: Math.floor(startedMs / 1000),
    ready: components.every(({ state }) => state === "running"),
    components,
  };
}
