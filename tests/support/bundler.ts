/**
 * Whether this machine can bundle: deno fetches esbuild from the npm registry the first time.
 * @module
 */
import { join } from "@std/path";
import { tempDir } from "./temp_dir.ts";

function canBundle(): boolean {
  using dir = tempDir();
  Deno.writeTextFileSync(join(dir.path, "a.ts"), "export const one: number = 1;\n");
  const { success } = new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--no-config", "--output", join(dir.path, "a.js"), join(dir.path, "a.ts")],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).outputSync();
  return success;
}

const ignore = !canBundle();

/** For a test that bundles: whether it is left out, and what its name says then. */
export const bundlerNeed = { ignore, note: ignore ? " (skipped: esbuild cannot be had for deno bundle)" : "" };
