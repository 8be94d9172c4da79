/**
 * Reads control files by the rows of schema.ts. An absent file means its default; a malformed or unreadable one is an
 * error that names the file, the value and what was expected.
 * @module
 */
import { ifThere } from "../components/lib/disk/if_there.ts";
import { fromOctets } from "../components/lib/octets.ts";
import { err, ok, type Result } from "../components/lib/result.ts";
import type { Home } from "./home.ts";
import { type ControlFile, controlFilesOf, type Controls, type Row, schema } from "./schema.ts";

/**
 * The values of `files`. Errors: one line a file, `Cannot read control file "databytes": expected …, got "10MB"`.
 * A file whose default comes from `me` needs `me` among the files or in place.
 */
export function readControls<F extends ControlFile>(
  home: Home,
  files: readonly F[],
): Result<Pick<Controls, F>, string[]> {
  const errors: string[] = [];
  const values = new Map<ControlFile, unknown>();
  let me: string | undefined;
  const needsMe = files.some((file) => file === "me" || (schema[file] as Row<unknown>).fromMe !== undefined);
  const wanted = new Set<ControlFile>(needsMe ? ["me", ...files] : files);
  for (const file of wanted) {
    const row = schema[file] as Row<unknown>;
    try {
      const path = home.control(file);
      const text = ifThere(() =>
        row.octets === true ? fromOctets(Deno.readFileSync(path)) : Deno.readTextFileSync(path)
      );
      const value = text === undefined ? undefined : row.parse(text);
      if (value?.ok === false) errors.push(`Cannot read control file "${file}": ${value.error}`);
      else if (value !== undefined) values.set(file, value.value);
      else if (row.default !== undefined) values.set(file, row.default);
      else if (row.fromMe !== undefined && me !== undefined) values.set(file, row.fromMe(me));
      else if (file === "me") {
        errors.push(
          `Cannot read control file "me": expected this host's name in ${home.control("me")}, it is not there`,
        );
      }
      if (file === "me") me = values.get("me") as string | undefined;
    } catch (error) {
      errors.push(`Cannot read control file "${file}": ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (errors.length > 0) return err(errors);
  return ok(Object.fromEntries(files.map((file) => [file, values.get(file)])) as Pick<Controls, F>);
}

/** All control files of one component (those whose rows name it). */
export function readControlsOf(home: Home, component: string): Result<Controls, string[]> {
  return readControls(home, controlFilesOf(component)) as Result<Controls, string[]>;
}
