/**
 * Whether an installation was broken off at a home: nothing should be started there until it is whole, or given back.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { type Manifest, readManifest } from "./manifest.ts";

/** What to do about it in words, or undefined. */
export function unfinishedInstall({ dir }: Pick<Home, "dir">): string | undefined {
  const manifest = readOwn(dir);
  if (manifest?.state === "installing") {
    return `an install was interrupted there: complete it with "deno task install --prefix ${dir}", or take it back ` +
      "with --rollback";
  }
  if (manifest?.state === "rolling back") {
    return `a rollback was interrupted there: complete it with "deno task install --prefix ${dir} --rollback"`;
  }
  return undefined;
}

/** Whoever may not read it can start nothing there either, and hears so in better words. */
function readOwn(dir: string): Manifest | undefined {
  try {
    return readManifest({ root: "/", prefix: dir });
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  }
}
