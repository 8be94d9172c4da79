/**
 * Every control file: one row with its reader, default, meaning and users, by area in schema/. The reader, `show`, the
 * README's table and the grants come from these rows; nothing else opens `control/`.
 * @module
 */
import { filters } from "./schema/filters.ts";
import { host } from "./schema/host.ts";
import { local } from "./schema/local.ts";
import { logins } from "./schema/logins.ts";
import { queue } from "./schema/queue.ts";
import { remote } from "./schema/remote.ts";
import { rules } from "./schema/rules.ts";
import { servers } from "./schema/servers.ts";
import { written } from "./schema/written.ts";
import type { Row } from "./schema/row.ts";

export type { Row } from "./schema/row.ts";

const rows = {
  ...host,
  ...servers,
  ...rules,
  ...logins,
  ...filters,
  ...queue,
  ...local,
  ...remote,
  ...written,
} as const;

/** The rows, by file name: control/me first, for others follow from it. */
export const schema: typeof rows = Object.fromEntries(
  Object.entries(rows).sort(([one], [other]) => one === "me" ? -1 : other === "me" ? 1 : one < other ? -1 : 1),
) as unknown as typeof rows;

export type ControlFile = keyof typeof schema;
export type ControlValue<F extends ControlFile> = (typeof schema)[F] extends Row<infer T> ? T : never;
/** All control files as values. */
export type Controls = { readonly [F in ControlFile]: ControlValue<F> };

/** The files of one component, in the schema's order. */
export function controlFilesOf(component: string): ControlFile[] {
  return (Object.keys(schema) as ControlFile[]).filter((file) =>
    (schema[file].usedBy as readonly string[]).includes(component)
  );
}
