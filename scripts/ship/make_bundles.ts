/**
 * The folder that `deno task bundle` makes: components/ and scripts/ as in a checkout, each program one file, and the
 * program `dqmail` that starts the scripts.
 * @module
 */
import { ensureDirSync, existsSync } from "@std/fs";
import { dirname, join, resolve } from "@std/path";
import { formatNotices } from "./notices.ts";
import { type BundleOptions, bundlePrograms, packagesFolder } from "./deno_bundle.ts";
import { bundlePath } from "../../components/supervisor/launcher.ts";
import { componentPrograms, scriptPrograms } from "./programs.ts";

/** By this file such a folder is known: made anew, and no other folder in its place, it is replaced. */
const markFile = "BUNDLES";

/** The program that stands at the top: it finds itself through symlinks. */
const launcher = `#!/bin/sh
self=$(readlink -f "$0") || exit 111
exec "\${DENO:-deno}" run --quiet --allow-all --no-remote --no-npm --no-config "\${self%/*}/scripts/dqmail.js" "$@"
`;

/** What is given away with the programs. */
const documents = ["LICENSE", "README.md", "ARCHITECTURE.md", "CHANGELOG.md"];
/** What "dqmail install" reads. */
const samples = "config/samples";

function write(path: string, text: string, mode: number): void {
  Deno.writeTextFileSync(path, text);
  Deno.chmodSync(path, mode);
}

function copyTree(from: string, to: string): void {
  if (!Deno.statSync(from).isDirectory) return Deno.copyFileSync(from, to);
  ensureDirSync(to);
  for (const { name } of Deno.readDirSync(from)) copyTree(join(from, name), join(to, name));
}

/** Everybody may read what is at `path` and below it. */
function openToAll(path: string): void {
  const info = Deno.lstatSync(path);
  Deno.chmodSync(path, info.isDirectory || ((info.mode ?? 0) & 0o100) !== 0 ? 0o755 : 0o644);
  if (info.isDirectory) { for (const { name } of Deno.readDirSync(path)) openToAll(join(path, name)); }
}

/** The version that deno.json of a checkout tells. */
export function versionOf(checkout: string): string {
  const { version } = JSON.parse(Deno.readTextFileSync(join(checkout, "deno.json"))) as { readonly version?: unknown };
  if (typeof version !== "string") throw new Error("deno.json tells no version");
  return version;
}

/**
 * Bundles of all programs of a checkout, and what these read, in the folder `out`, which is there and empty. Answers their
 * paths below it. Throws where a program cannot be bundled.
 */
export async function writeBundles(checkout: string, out: string, options: BundleOptions = {}): Promise<string[]> {
  const programs = [...componentPrograms, ...scriptPrograms(checkout)];
  await bundlePrograms(checkout, programs, out, options);
  copyTree(join(checkout, samples), join(out, samples));
  write(join(out, markFile), `dqmail ${versionOf(checkout)} for deno ${Deno.version.deno}\n`, 0o644);
  openToAll(out);
  write(join(out, "dqmail"), launcher, 0o755);
  return programs.map(bundlePath);
}

/**
 * Makes bundles of all programs of a checkout in the folder `out`, in place of an earlier one. Answers their paths below
 * it. Throws where `out` is a folder of something else, and where a program cannot be bundled; `out` then is as it was.
 */
export async function makeBundles(checkout: string, out: string, options: BundleOptions = {}): Promise<string[]> {
  const place = resolve(out);
  const isOurs = existsSync(join(place, markFile));
  if (existsSync(place) && !isOurs && !Deno.readDirSync(place)[Symbol.iterator]().next().done) {
    throw new Error(`${place} holds something else: name a folder that is empty or not there`);
  }
  ensureDirSync(dirname(place));
  const fresh = Deno.makeTempDirSync({ dir: dirname(place), prefix: ".dqmail-" });
  try {
    const programs = await writeBundles(checkout, fresh, options);
    for (const name of documents) write(join(fresh, name), Deno.readTextFileSync(join(checkout, name)), 0o644);
    const lock = Deno.readTextFileSync(join(checkout, "deno.lock"));
    write(join(fresh, "NOTICES"), formatNotices(lock, await packagesFolder(checkout)), 0o644);
    if (existsSync(place)) Deno.removeSync(place, { recursive: true });
    Deno.renameSync(fresh, place);
    return programs;
  } finally {
    if (existsSync(fresh)) Deno.removeSync(fresh, { recursive: true });
  }
}
