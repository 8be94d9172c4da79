/**
 * control/dmarc: what is done about DMARC, by the way in. `MODE` alone, or lines `WAY: MODE`, then `MODE` alone for the
 * other ones:
 *
 * ```text
 * smtp: enforce
 * tag
 * ```
 * @module
 */
import { type Way, ways } from "../filters/chain.ts";
import { err, ok, type Result } from "../result.ts";

/**
 * `none`: not checked. `tag`: checked, and said in Authentication-Results. `enforce`: what fails is refused where the domain
 * asks for it.
 */
export const dmarcModes = ["none", "tag", "enforce"] as const;
export type DmarcMode = (typeof dmarcModes)[number];

export interface DmarcModes {
  readonly byWay: ReadonlyMap<Way, DmarcMode>;
  readonly other: DmarcMode;
}

export const defaultDmarcModes: DmarcModes = { byWay: new Map(), other: "tag" };

export function parseDmarcModes(text: string): Result<DmarcModes, string> {
  const byWay = new Map<Way, DmarcMode>();
  let other: DmarcMode | undefined;
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const colon = line.indexOf(":");
    const mode = dmarcModes.find((word) => word === line.slice(colon + 1).trim());
    const way = ways.find((word) => word === line.slice(0, Math.max(colon, 0)).trim());
    if (mode === undefined || (colon >= 0 && way === undefined)) {
      return err(
        `expected "MODE" or "WAY: MODE" with ${dmarcModes.join(", ")} and ${ways.join(", ")}, got ${
          JSON.stringify(line)
        }`,
      );
    }
    if (way === undefined ? other !== undefined : byWay.has(way)) {
      return err(`expected one line for ${way ?? "all others"}`);
    }
    if (way === undefined) other = mode;
    else byWay.set(way, mode);
  }
  return ok({ byWay, other: other ?? defaultDmarcModes.other });
}

/** `entrance`: as in a ClientNote. */
export function dmarcModeFor({ byWay, other }: DmarcModes, entrance: string): DmarcMode {
  const way = ways.find((word) => word === entrance);
  return (way === undefined ? undefined : byWay.get(way)) ?? other;
}
