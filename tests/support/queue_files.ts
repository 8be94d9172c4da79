/**
 * What lies in a queue, for tests.
 * @module
 */
import type { Home } from "../../config/home.ts";

/** Paths of all files in the queue but the locks. */
export function queueFiles(home: Home, dir = home.queue()): string[] {
  return Array.from(Deno.readDirSync(dir)).flatMap((entry) => {
    const path = `${dir}/${entry.name}`;
    if (entry.isDirectory) return entry.name === "lock" ? [] : queueFiles(home, path);
    return [path];
  });
}
