/**
 * What the supervisor tells of the control files on its status socket: `{op:"controls", id}`, answered with
 * `{controls: […]}`. Anybody may ask, so secrets are masked, and a file that not everybody may read is not shown at all.
 * @module
 */
import * as field from "./fields.ts";
import type { Frame, RawHead } from "./frame.ts";
import { ProtocolError } from "./server.ts";

/** Where the value of a control file comes from. `hidden`: it is set, but is not for everybody to read. */
export const controlOrigins = ["file", "default", "hidden"] as const;

/** One control file, as text for people. */
export interface ShownControl {
  readonly name: string;
  readonly origin: (typeof controlOrigins)[number];
  /** The file's lines without comments, at most {@link longestShown} characters of them; "" unless `origin` is "file". */
  readonly value: string;
  /** Whether there is more of it. */
  readonly cut: boolean;
  readonly default: string;
  /** What is wrong with the file, where something is. */
  readonly defect?: string;
  readonly meaning: string;
  readonly usedBy: readonly string[];
}

export const longestShown = 4096;

/** Throws ProtocolError. */
export function parseControls({ head }: Frame): readonly ShownControl[] {
  return field.objects(head, "controls").map(parseControl);
}

function parseControl(head: RawHead): ShownControl {
  const usedBy = head["usedBy"];
  if (!Array.isArray(usedBy)) throw new ProtocolError(`expected a list in the field "usedBy"`);
  const defect = field.optionalText(head, "defect", 2 * longestShown);
  return {
    name: field.text(head, "name", 100),
    origin: field.oneOf(head, "origin", controlOrigins),
    value: field.text(head, "value", longestShown),
    cut: field.flag(head, "cut"),
    default: field.text(head, "default"),
    ...(defect === undefined ? {} : { defect }),
    meaning: field.text(head, "meaning"),
    usedBy: usedBy.map((user) => field.text({ user }, "user", 100)),
  };
}
