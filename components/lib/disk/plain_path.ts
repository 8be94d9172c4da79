/**
 * Paths that become part of a grant or a script: nothing in one may mean two things to two readers.
 * @module
 */

/**
 * Whether `path` is absolute and plain: no `//`, `.` or `..`, no end in `/`, of the letters, digits and marks that need no
 * quoting.
 *
 * @example
 * ```ts
 * import { isPlainPath } from "./plain_path.ts";
 * isPlainPath("/usr/local/bin/check"); // true
 * isPlainPath("/usr/../bin/check"); // false
 * ```
 */
export function isPlainPath(path: string): boolean {
  if (path.length > 4096 || !/^(?:\/[A-Za-z0-9_@%+=.-]+)+$/.test(path)) return false;
  return !path.split("/").some((part) => part === "." || part === "..");
}
