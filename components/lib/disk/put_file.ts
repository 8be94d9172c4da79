/**
 * Puts a file in its place as a whole: whoever reads the old one, or runs it, goes on with that. For what the next start writes
 * again: nothing is synced. With `mode` it has exactly that one.
 * @module
 */

/** Throws what the disk says. */
export function putFile(path: string, text: string, mode?: number): void {
  const fresh = `${path}.new`;
  Deno.writeTextFileSync(fresh, text);
  if (mode !== undefined) Deno.chmodSync(fresh, mode);
  Deno.renameSync(fresh, path);
}
