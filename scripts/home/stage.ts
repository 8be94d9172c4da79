/**
 * What the components run from: deno, its cache of packages, and this project's code. An ordinary user's components run
 * from where the user's own lie. Started by root they run as other users, who may not be able to read any of it (root's
 * home is closed to them), so root's start puts copies below the home, owned by root and readable by all.
 * @module
 */
import { ensureDirSync, existsSync } from "@std/fs";
import { basename, dirname, fromFileUrl, join } from "@std/path";
import { type Home, homeAt } from "../../config/home.ts";
import { manifests } from "../../config/manifests.ts";
import type { Runtime } from "../../components/supervisor/launcher.ts";

/** The checkout this script belongs to. */
export const checkout = dirname(dirname(dirname(fromFileUrl(import.meta.url))));

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

function copyTree(from: string, to: string): void {
  const info = Deno.statSync(from);
  if (!info.isDirectory) {
    Deno.copyFileSync(from, to);
    Deno.chmodSync(to, (info.mode ?? 0) & 0o111 ? 0o755 : 0o644);
    return;
  }
  ensureDirSync(to);
  Deno.chmodSync(to, 0o755);
  for (const entry of Deno.readDirSync(from)) copyTree(join(from, entry.name), join(to, entry.name));
}

/** The folder `to` as a whole copy: made beside it and put in its place. */
function replaceTree(to: string, make: (fresh: string) => void): void {
  const fresh = `${to}.new`;
  if (existsSync(fresh)) Deno.removeSync(fresh, { recursive: true });
  make(fresh);
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
  if (source.uid !== 0 || ((source.mode ?? 0) & 0o777) !== 0o755 || !linked(from, fresh)) {
    Deno.copyFileSync(from, fresh);
    Deno.chmodSync(fresh, 0o755);
  }
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

async function stageForOthers(home: Home): Promise<Runtime> {
  const [binary, code, denoDir] = [home.libexec("deno"), home.libexec("code"), home.libexec("deno_dir")];
  stageBinary(Deno.execPath(), binary);
  replaceTree(code, (fresh) => {
    ensureDirSync(fresh);
    for (const part of ["deno.json", "deno.lock", "components", "config"]) {
      copyTree(join(checkout, part), join(fresh, part));
    }
  });
  await stagePackages(denoDir, code);
  openToAll(denoDir);
  return { deno: binary, denoDir, code, audit: undefined };
}

/**
 * A cache of packages for the components alone: a copy of the one of who starts; only what is not there is fetched. Deno
 * lets every program, without any permission, keep `localStorage` and `caches` in its cache's folder "location_data";
 * a plain file of that name is in the way of it, for root too.
 */
async function stagePackages(denoDir: string, code: string): Promise<void> {
  const lock = Deno.readTextFileSync(join(checkout, "deno.lock"));
  const stamp = join(denoDir, "lock");
  if (!existsSync(stamp) || Deno.readTextFileSync(stamp) !== lock) {
    await fetchPackages(checkout);
    const packages = join(await denoDirInUse(), "npm");
    replaceTree(denoDir, (fresh) => {
      ensureDirSync(fresh);
      if (existsSync(packages)) copyTree(packages, join(fresh, "npm"));
      Deno.writeTextFileSync(join(fresh, "location_data"), "");
    });
    Deno.writeTextFileSync(stamp, lock);
  }
  await fetchPackages(code, { DENO_DIR: denoDir });
}

function openToAll(path: string): void {
  const info = Deno.lstatSync(path);
  if (info.isSymlink) return;
  Deno.chmodSync(path, info.isDirectory ? 0o755 : 0o644);
  if (info.isDirectory) { for (const entry of Deno.readDirSync(path)) openToAll(join(path, entry.name)); }
}

/** Sees to it that everything the components run from is there, and says where. */
export async function stage(home: Home): Promise<Runtime> {
  if (Deno.uid() === 0) return await stageForOthers(home);
  const denoDir = home.libexec("deno_dir");
  await stagePackages(denoDir, checkout);
  return { deno: Deno.execPath(), denoDir, code: checkout, audit: undefined };
}

/** Whether a user other than root can get to `path`. */
function reachable(path: string): boolean {
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
