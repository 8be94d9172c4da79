/**
 * `@std/path` on a machine that cannot reach JSR: the same names from what Deno ships. POSIX only, like this project.
 * @module
 */
export { basename, dirname, isAbsolute, join, normalize, relative, resolve } from "node:path/posix";
export { fileURLToPath as fromFileUrl, pathToFileURL as toFileUrl } from "node:url";
