/**
 * The control files as the operator may see them: what `controls` on the status socket answers.
 * @module
 */
import { type ControlFile, type Row, schema } from "../../config/schema.ts";
import { fromOctets } from "../lib/octets.ts";
import { longestShown, type ShownControl } from "../lib/wire/controls_protocol.ts";

/** A control file that is there. */
export interface FoundControl {
  readonly octets: Uint8Array;
  /** Whether everybody on this machine may read it. */
  readonly open: boolean;
}

/** How a file is found: absent, or there, or an error's text. */
export type FindControl = (file: ControlFile) => FoundControl | undefined | string;

const utf8 = new TextDecoder();

/** All of them, in the order of their names; `me`: control/me, which some defaults come from. */
export function showControls(find: FindControl, me: string): readonly ShownControl[] {
  return (Object.keys(schema) as ControlFile[]).sort().map((file) => showControl(file, find(file), me));
}

function showControl(file: ControlFile, found: FoundControl | undefined | string, me: string): ShownControl {
  const row = schema[file] as Row<unknown>;
  const known = { name: file, default: defaultOf(row, me), meaning: row.doc, usedBy: row.usedBy };
  if (found === undefined) return { ...known, origin: "default", value: "", cut: false };
  if (typeof found === "string") return { ...known, origin: "hidden", value: "", cut: false, defect: found };
  const text = row.octets === true ? fromOctets(found.octets) : utf8.decode(found.octets);
  const parsed = row.parse(text);
  // What is wrong may quote the file.
  const hidden = !found.open && row.shown === undefined;
  const defect = parsed.ok ? {} : { defect: hidden ? "it is malformed" : parsed.error.slice(0, longestShown) };
  if (hidden) return { ...known, ...defect, origin: "hidden", value: "", cut: false };
  const value = file.endsWith(".cdb")
    ? `${found.octets.length} octets`
    : linesOf(row.shown?.(text) ?? (row.octets === true ? utf8.decode(found.octets) : text));
  return { ...known, ...defect, origin: "file", value: value.slice(0, longestShown), cut: value.length > longestShown };
}

/** Lines without comments, as their readers see them. */
function linesOf(text: string): string {
  return text.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "" && !line.startsWith("#"))
    .join("\n");
}

function defaultOf(row: Row<unknown>, me: string): string {
  if (row.defaultText !== undefined) return row.defaultText;
  if (row.fromMe !== undefined) return String(row.fromMe(me));
  if (Array.isArray(row.default) || row.default instanceof Map) return "none";
  return row.default === false ? "0" : row.default === true ? "1" : String(row.default);
}
