/**
 * The record of an installation, PREFIX/install/manifest.json: for each thing that it changes, what was there before. A
 * record is on the disk before the change is made, and the first one of a place stays: so a run that was interrupted is
 * completed by another, and both are given back by one rollback.
 * @module
 */
import { existsSync } from "@std/fs";
import { join } from "@std/path";
import { ifThere } from "../../components/lib/disk/if_there.ts";
import { replaceFile } from "../home/mailboxes.ts";
import type { Place } from "./place.ts";
import type { Found } from "./survey.ts";

export interface Owned {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** What was at a place. */
export type Before =
  | { readonly kind: "absent" }
  | { readonly kind: "file"; readonly kept: string; readonly mtimeMs: number } & Owned
  /** Content of a file that is only given another owner is not kept. */
  | { readonly kind: "owner" } & Owned
  | { readonly kind: "folder" } & Owned
  | { readonly kind: "link"; readonly to: string };

export type Entry =
  /** An absolute path. */
  | { readonly kind: "path"; readonly path: string; readonly before: Before }
  | { readonly kind: "group"; readonly name: string }
  | { readonly kind: "user"; readonly name: string }
  /** A diversion of Debian's packages, as the machine names the two. */
  | { readonly kind: "diversion"; readonly path: string; readonly to: string };

export interface Manifest {
  readonly version: 1;
  readonly state: "installing" | "installed" | "rolling back" | "rolled back";
  readonly found: Found;
  /** Seconds since 1970 at which it began. */
  readonly beganSeconds: number;
  readonly entries: readonly Entry[];
}

export function installDir(place: Place, ...parts: string[]): string {
  return join(place.prefix, "install", ...parts);
}

/** Throws where the file is there and is none of ours. */
export function readManifest(place: Place): Manifest | undefined {
  const path = installDir(place, "manifest.json");
  const text = ifThere(() => Deno.readTextFileSync(path));
  if (text === undefined) return undefined;
  const manifest = JSON.parse(text) as Manifest;
  if (manifest.version !== 1 || !Array.isArray(manifest.entries)) {
    throw new Error(`${path} is of another version of dqmail: use that one`);
  }
  return manifest;
}

/** Puts it in the place of the old one, on stable storage. */
export function writeManifest(place: Place, manifest: Manifest): void {
  const dir = installDir(place);
  if (!existsSync(dir)) Deno.mkdirSync(dir, { recursive: true, mode: 0o700 });
  // Programs with another user's rights are kept there: nobody but the owner enters.
  Deno.chmodSync(dir, 0o700);
  replaceFile(installDir(place, "manifest.json"), `${JSON.stringify(manifest, undefined, 1)}\n`, { mode: 0o600 });
}
