/**
 * Versions of the code beside each other: what an upgrade has staged, and what it has left behind.
 * @module
 */
import { existsSync } from "@std/fs";
import type { Home } from "../../config/home.ts";
import { checkout } from "./checkout.ts";

const prefix = "code-";

/** The folder for what an upgrade at that time stages. */
export function versionDir(home: Home, nowMs: number): string {
  return home.libexec(`${prefix}${new Date(nowMs).toISOString().replaceAll(/[^0-9]/g, "").slice(0, 14)}`);
}

/** Removes what upgrades have staged, but for the version in the folder `kept`, and the one that this script is part of. */
export function removeStaged(home: Home, kept?: string): void {
  for (const { name } of Deno.readDirSync(home.libexec())) {
    const dir = home.libexec(name);
    if (!name.startsWith(prefix) || dir === kept || checkout.startsWith(`${dir}/`)) continue;
    Deno.removeSync(dir, { recursive: true });
  }
}

/** Removes all that is not the version in the folder `kept`: what a start staged, too. */
export function removeOthers(home: Home, kept: string): void {
  removeStaged(home, kept);
  if (checkout === home.libexec("code")) return;
  // First what says that the others are whole.
  for (const name of ["staged", "code", "deno", "deno_dir"]) {
    const path = home.libexec(name);
    if (existsSync(path)) Deno.removeSync(path, { recursive: true });
  }
}
