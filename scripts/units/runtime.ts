/**
 * Where what the units run lies: root's start and the install put it there (scripts/home/stage.ts).
 * @module
 */
import type { Home } from "../../config/home.ts";
import type { Runtime } from "../../components/supervisor/launcher.ts";

export function runtimeOf(home: Home, { bundled = false }: { readonly bundled?: boolean } = {}): Runtime {
  return {
    deno: home.libexec("deno"),
    denoDir: home.libexec("deno_dir"),
    code: home.libexec("code"),
    ...(bundled ? { bundled } : {}),
    audit: undefined,
  };
}
