/**
 * The supervisor's own grant: the one that it does not write itself.
 * @module
 */
import { join } from "@std/path";
import type { Config } from "../../components/lib/permissions/grant.ts";
import { putFile } from "../../components/lib/disk/put_file.ts";
import { formatHomeArgs } from "../../components/lib/process/home_args.ts";
import { binariesFile } from "../../components/supervisor/binaries.ts";
import { formatGrant, launchCommand, type Runtime } from "../../components/supervisor/launcher.ts";
import { manifest } from "../../components/supervisor/permissions.ts";

/** Writes it; `binaries`: the folder of programs that need no deno. */
export function writeOwnGrant(config: Config, runtime: Runtime, offset: number, binaries?: string): void {
  const { home } = config;
  const args = [
    ...formatHomeArgs(home),
    "--port-offset",
    String(offset),
    "--deno",
    runtime.deno,
    "--deno-dir",
    runtime.denoDir,
    "--code",
    runtime.code,
  ];
  if (runtime.bundled) args.push("--bundled");
  if (binaries !== undefined) args.push("--binaries", binaries);
  if (runtime.audit !== undefined) args.push("--audit", runtime.audit);
  if (Deno.uid() === 0) args.push("--change-user");
  const { read = [], ...rights } = manifest.permissions(config);
  const grant = { ...rights, read: binaries === undefined ? read : [...read, join(binaries, binariesFile)] };
  writeOwnGrantText(config, formatGrant(launchCommand(manifest.name, grant, runtime, home, args)));
}

/** Its text as it is. */
export function readOwnGrantText({ home }: Pick<Config, "home">): string {
  return Deno.readTextFileSync(home.libexec("grants", manifest.name));
}

/** Puts that text in its place. */
export function writeOwnGrantText({ home }: Pick<Config, "home">, text: string): void {
  putFile(home.libexec("grants", manifest.name), text);
}
