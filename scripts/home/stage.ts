/**
 * What the components run from: deno, its cache of packages, and this project's code. An ordinary user's components run
 * from where the user's own lie. Started by root they run as other users, who may not be able to read any of it (root's
 * home is closed to them), so root's start puts copies below the home, owned by root and readable by all.
 *
 * The code is bundles, each program one file that needs no packages: a process takes 2 to 4 MiB less memory and half as long
 * to start as one of a hundred modules. A start from a checkout makes them below the home; one that is a bundle itself has
 * them beside it. The sources as they are run where that is asked for, or no bundles can be made.
 * @module
 */
import { ensureDirSync, existsSync } from "@std/fs";
import { basename, dirname, join } from "@std/path";
import { type Home, homeAt } from "../../config/home.ts";
import { manifests } from "../../config/manifests.ts";
import { bundlePath, type Runtime } from "../../components/supervisor/launcher.ts";
import { writeBundles } from "../ship/make_bundles.ts";
import { componentPrograms } from "../ship/programs.ts";
import { checkout, isBundle } from "./checkout.ts";

const decoder = new TextDecoder();

/** Runs deno; answers its output. Throws with what it said when it fails. */
async function deno(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    env: { ...env },
    stdin: "null",
    cwd: checkout,
  }).output();
  if (!output.success) throw new Error(`deno ${args[0]} failed: ${decoder.decode(output.stderr)}`);
  return decoder.decode(output.stdout);
}

function entrypoints(code: string): string[] {
  return manifests.map((manifest) => join(code, "components", manifest.name, "main.ts"));
}

/** The cache of packages that this very process uses. */
async function denoDirInUse(): Promise<string> {
  const info = JSON.parse(await deno(["info", "--json"])) as { denoDir?: unknown };
  if (typeof info.denoDir !== "string") throw new Error("deno info does not tell where its cache is");
  return info.denoDir;
}

/** Fetches what is missing of the packages the components import. */
async function fetchPackages(code: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  await deno([
    "install",
    "--quiet",
    "--frozen",
    "--config",
    join(code, "deno.json"),
    "--entrypoint",
    ...entrypoints(code),
  ], env);
}

/** Puts one file into its place; `info` is what is known of the file at `from`. */
type Place = (from: string, to: string, info: Deno.FileInfo) => void;

function placeTree(from: string, to: string, place: Place): void {
  const info = Deno.statSync(from);
  if (!info.isDirectory) return place(from, to, info);
  ensureDirSync(to);
  Deno.chmodSync(to, 0o755);
  for (const entry of Deno.readDirSync(from)) placeTree(join(from, entry.name), join(to, entry.name), place);
}

function copyFile(from: string, to: string, info: Deno.FileInfo): void {
  Deno.copyFileSync(from, to);
  Deno.chmodSync(to, openMode(info));
}

/**
 * A hard link where it is root's own file, of the right mode and on the same file system, else a copy: a cache is a
 * thousand files, and copies of them would be most of what a start takes. Deno never writes into a file of its cache.
 */
function linkFile(from: string, to: string, info: Deno.FileInfo): void {
  const fits = info.uid === 0 && ((info.mode ?? 0) & 0o777) === openMode(info);
  if (!fits || !linked(from, to)) copyFile(from, to, info);
}

function openMode({ mode }: Deno.FileInfo): number {
  return (mode ?? 0) & 0o111 ? 0o755 : 0o644;
}

/** The folder `to` as a whole copy: made beside it and put in its place. */
async function replaceTree(to: string, make: (fresh: string) => void | Promise<void>): Promise<void> {
  const fresh = `${to}.new`;
  if (existsSync(fresh)) Deno.removeSync(fresh, { recursive: true });
  await make(fresh);
  if (existsSync(to)) Deno.removeSync(to, { recursive: true });
  Deno.renameSync(fresh, to);
}

/**
 * Deno itself, at `to`: a hard link where it is root's own file on the same file system (no 95 MB to copy, and all
 * processes share its pages), else a copy.
 */
function stageBinary(from: string, to: string): void {
  const source = Deno.statSync(from);
  const staged = existsSync(to) ? Deno.statSync(to) : undefined;
  const same = staged !== undefined && staged.ino === source.ino && staged.dev === source.dev;
  const copied = staged?.size === source.size && (staged.mtime ?? 0) >= (source.mtime ?? 0);
  if (same || copied) return;
  const fresh = `${to}.new`;
  if (existsSync(fresh)) Deno.removeSync(fresh);
  linkFile(from, fresh, source);
  Deno.renameSync(fresh, to);
}

function linked(from: string, to: string): boolean {
  try {
    Deno.linkSync(from, to);
    return true;
  } catch {
    // Another file system, or one without links.
    return false;
  }
}

/** What of the checkout the components and `bin/dqmail` need. */
const codeParts = [...isBundle ? [] : ["deno.json", "deno.lock"], "components", "config", "scripts"];

async function stageCopy(code: string): Promise<void> {
  await replaceTree(code, (fresh) => {
    ensureDirSync(fresh);
    for (const part of codeParts) {
      placeTree(join(checkout, part), join(fresh, part), copyFile);
    }
  });
}

/** Bundles of this checkout; the packages that go into them have to be there. */
async function bundleHere(out: string): Promise<void> {
  await fetchPackages(checkout);
  await writeBundles(checkout, out);
}

/**
 * An empty cache. Deno lets every program, without any permission, keep `localStorage` and `caches` in its cache's folder
 * "location_data"; a plain file of that name is in the way of it, for root too.
 */
function makeCache(dir: string): void {
  ensureDirSync(dir);
  Deno.writeTextFileSync(join(dir, "location_data"), "");
}

/**
 * A cache for bundles, which carry their packages: it holds what deno finds out about a file before it runs it. The
 * components' users may not write that down themselves, and each process would keep the memory it took (4 MiB).
 */
async function stageFindings(denoDir: string, code: string): Promise<void> {
  await replaceTree(denoDir, makeCache);
  const programs = componentPrograms.map((main) => join(code, bundlePath(main)));
  await deno(["cache", "--quiet", "--no-remote", "--no-npm", "--no-config", ...programs], { DENO_DIR: denoDir });
}

/** A cache for the components alone, with the packages of the cache of who starts; only what is not there is fetched. */
async function stagePackages(denoDir: string, code: string): Promise<void> {
  const lock = Deno.readTextFileSync(join(checkout, "deno.lock"));
  const stamp = join(denoDir, "lock");
  if (!existsSync(stamp) || Deno.readTextFileSync(stamp) !== lock) {
    await fetchPackages(checkout);
    const packages = join(await denoDirInUse(), "npm");
    await replaceTree(denoDir, (fresh) => {
      makeCache(fresh);
      if (existsSync(packages)) placeTree(packages, join(fresh, "npm"), linkFile);
    });
    Deno.writeTextFileSync(stamp, lock);
  }
  await fetchPackages(code, { DENO_DIR: denoDir });
}

function openToAll(path: string): void {
  const info = Deno.lstatSync(path);
  if (info.isSymlink) return;
  const mode = info.isDirectory ? 0o755 : openMode(info);
  if (((info.mode ?? 0) & 0o777) !== mode) Deno.chmodSync(path, mode);
  if (info.isDirectory) { for (const entry of Deno.readDirSync(path)) openToAll(join(path, entry.name)); }
}

/** What is staged depends on: this deno, the kind of code, and every file of it by its size and time. */
function stagedFrom(kind: Kind): string {
  const lines = [`${Deno.execPath()} ${Deno.version.deno} ${Deno.uid()} ${kind}`];
  const visit = (path: string): void => {
    const info = Deno.statSync(path);
    if (!info.isDirectory) lines.push(`${path} ${info.size} ${info.mtime?.getTime()} ${info.ino}`);
    else for (const entry of Deno.readDirSync(path)) visit(join(path, entry.name));
  };
  for (const part of codeParts) visit(join(checkout, part));
  return lines.sort().join("\n");
}

/** Tells a terminal, or a log, why the sources are run. */
function sayWhySources(reason: string): void {
  console.error(`the processes run from the sources, which takes more memory: no bundles can be made (${reason})`);
}

/** Bundles that are made here, those that this start is one of, or the sources. */
type Kind = "made" | "given" | "sources";

/** How it is staged. */
export interface StageOptions {
  /** Several homes may share it; absent: the home's libexec. */
  readonly dir?: string | undefined;
  /** The sources as they are, no bundles. */
  readonly sources?: boolean;
  /** Told why the sources are staged though bundles were to be; on standard error unless given. */
  readonly onSources?: (reason: string) => void;
  /** Writes bundles into a folder that is there; for tests. */
  readonly bundle?: (out: string) => Promise<unknown>;
}

/**
 * Sees to it that everything the components run from is there, and says where. Throws where another user could put
 * anything there.
 */
export async function stage(
  home: Home,
  { dir = home.libexec(), sources = false, onSources = sayWhySources, bundle = bundleHere }: StageOptions = {},
): Promise<Runtime> {
  Deno.mkdirSync(dir, { recursive: true, mode: 0o755 });
  const { uid, mode, isDirectory } = Deno.lstatSync(dir);
  if (!isDirectory || uid !== Deno.uid() || ((mode ?? 0) & 0o022) !== 0) {
    throw new Error(`${dir} is to be a folder that nobody else may write to`);
  }
  if (isBundle) return await stageKind("given", dir, bundle);
  if (sources) return await stageKind("sources", dir, bundle);
  try {
    return await stageKind("made", dir, bundle);
  } catch (error) {
    onSources(error instanceof Error ? error.message : String(error));
    return await stageKind("sources", dir, bundle);
  }
}

async function stageKind(kind: Kind, dir: string, bundle: (out: string) => Promise<unknown>): Promise<Runtime> {
  const forOthers = Deno.uid() === 0;
  const runtime: Runtime = {
    deno: forOthers ? join(dir, "deno") : Deno.execPath(),
    denoDir: join(dir, "deno_dir"),
    code: forOthers || kind === "made" ? join(dir, "code") : checkout,
    ...kind === "sources" ? {} : { bundled: true },
    audit: undefined,
  };
  // Who is started from what was staged (bin/dqmail) goes on with it: it could not be replaced by itself.
  if (checkout === join(dir, "code")) return runtime;
  const stamp = join(dir, "staged");
  const from = stagedFrom(kind);
  const isStaged = () =>
    [stamp, runtime.deno, runtime.denoDir, runtime.code].every((path) => existsSync(path)) &&
    Deno.readTextFileSync(stamp) === from;
  if (isStaged()) return runtime;
  // Another start may be at it.
  using lock = Deno.openSync(join(dir, "stage.lock"), { create: true, write: true, mode: 0o600 });
  await lock.lock(true);
  if (isStaged()) return runtime;
  if (existsSync(stamp)) Deno.removeSync(stamp);
  await stageAnew(kind, runtime, bundle);
  Deno.writeTextFileSync(stamp, from);
  return runtime;
}

async function stageAnew(
  kind: Kind,
  { deno, denoDir, code }: Runtime,
  bundle: (out: string) => Promise<unknown>,
): Promise<void> {
  const forOthers = Deno.uid() === 0;
  if (forOthers) stageBinary(Deno.execPath(), deno);
  if (kind === "made") {
    await replaceTree(code, async (fresh) => {
      ensureDirSync(fresh);
      await bundle(fresh);
    });
  }
  if (kind !== "made" && forOthers) await stageCopy(code);
  if (kind === "sources") await stagePackages(denoDir, code);
  else await stageFindings(denoDir, code);
  if (forOthers) openToAll(denoDir);
}

/** Whether a user other than root can get to `path`. */
export function reachable(path: string): boolean {
  for (let dir = path; dir !== "/"; dir = dirname(dir)) {
    if (existsSync(dir) && ((Deno.statSync(dir).mode ?? 0) & 0o001) === 0) return false;
  }
  return true;
}

/**
 * The home at `dir`, by its real path. Below a folder that only root may enter (as /root) the components' users could
 * reach nothing: a new home is then made under /var/lib/dqmail, with a symlink where it was wanted.
 * Throws when there already is a home that cannot be reached.
 */
export function settleHome(dir: string): Home {
  const wanted = homeAt(dir).dir;
  if (existsSync(wanted)) {
    const real = Deno.realPathSync(wanted);
    if (Deno.uid() === 0 && !reachable(dirname(real))) {
      throw new Error(
        `${real} is below a folder that only root may enter, and the components do not run as root; move it, or name another --home`,
      );
    }
    return homeAt(real);
  }
  ensureDirSync(dirname(wanted));
  if (Deno.uid() === 0 && !reachable(dirname(wanted))) {
    const elsewhere = `/var/lib/dqmail/${basename(dirname(wanted))}-${basename(wanted)}`;
    const place = existsSync(elsewhere) ? `${elsewhere}-${Deno.pid}` : elsewhere;
    ensureDirSync(place);
    Deno.symlinkSync(place, wanted);
    return homeAt(place);
  }
  ensureDirSync(wanted);
  return homeAt(Deno.realPathSync(wanted));
}
