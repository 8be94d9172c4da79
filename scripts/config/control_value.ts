/**
 * A control file as people and programs are told of it.
 * @module
 */
import { ifThere } from "../../components/lib/disk/if_there.ts";
import { fromOctets } from "../../components/lib/octets.ts";
import type { Home } from "../../config/home.ts";
import { type ControlFile, type Row, schema } from "../../config/schema.ts";

/** One control file of a home. */
export interface ControlValue {
  readonly file: ControlFile;
  /** Whether it is there. */
  readonly isSet: boolean;
  /** What is in it, without secrets unless they were asked for; absent: it is not there, or not for the reader. */
  readonly text?: string;
  /** It is there, and not for the reader. */
  readonly hidden?: true;
  readonly default: string;
  readonly doc: string;
  readonly usedBy: readonly string[];
  /** What is wrong with it. */
  readonly defect?: string;
}

/** The default as text; `me` is this host's name, where it is known. */
export function defaultTextOf(row: Row<unknown>, me?: string): string {
  if (row.defaultText !== undefined) return row.defaultText;
  if (row.fromMe !== undefined) return me === undefined ? "control/me" : String(row.fromMe(me));
  if (Array.isArray(row.default) || row.default instanceof Map) return "none";
  return row.default === false ? "0" : String(row.default);
}

/** All control files, in alphabetical order. */
export const controlFiles: readonly ControlFile[] = (Object.keys(schema) as ControlFile[]).toSorted();

/** The control file of that name, if there is one. */
export function findControl(name: string): ControlFile | undefined {
  return Object.hasOwn(schema, name) ? name as ControlFile : undefined;
}

/** What `file` is in `home`; `secrets`: shown as they are. */
export function readControlValue(home: Home, file: ControlFile, { secrets = false } = {}): ControlValue {
  const row = schema[file] as Row<unknown>;
  const about = { file, default: defaultTextOf(row, ownName(home)), doc: row.doc, usedBy: row.usedBy };
  const text = readText(home, file);
  if (text === undefined) return { ...about, isSet: false };
  if (text === "hidden") return { ...about, isSet: true, hidden: true };
  const parsed = row.parse(text.octets);
  const shown = secrets ? text.octets : row.shown?.(text.octets) ?? text.octets;
  // A cdb file is no text that a terminal could show.
  const told = file.endsWith(".cdb") ? `(${text.octets.length} octets)` : shown;
  return { ...about, isSet: true, text: told, ...(parsed.ok ? {} : { defect: parsed.error }) };
}

function readText(home: Home, file: ControlFile): { readonly octets: string } | "hidden" | undefined {
  const row = schema[file] as Row<unknown>;
  const path = home.control(file);
  try {
    const octets = ifThere(() =>
      row.octets === true ? fromOctets(Deno.readFileSync(path)) : Deno.readTextFileSync(path)
    );
    return octets === undefined ? undefined : { octets };
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return "hidden";
    throw error;
  }
}

function ownName(home: Home): string | undefined {
  const text = readText(home, "me");
  const me = text === undefined || text === "hidden" ? undefined : schema.me.parse(text.octets);
  return me?.ok === true ? me.value : undefined;
}
