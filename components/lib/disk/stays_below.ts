/**
 * Whether a folder of a virtual mailbox is where its path says. All virtual mailboxes belong to one user id: a symlink
 * in one could lead a delivery into another.
 * @module
 */

/** Whether each of `paths`, symlinks followed, lies below `home`, symlinks followed. Throws what the system says. */
export function stayBelow(home: string, paths: readonly string[]): boolean {
  const real = Deno.realPathSync(home);
  return paths.every((path) => Deno.realPathSync(path).startsWith(`${real}/`));
}
