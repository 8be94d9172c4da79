/**
 * What an ordinary user needs to start the system where root runs the tests: copies of deno, its cache of packages and
 * this checkout, for the originals may lie where only root may enter. Nothing is fetched.
 * @module
 */
import { join } from "@std/path";
import { checkout, type OtherUser } from "./system.ts";

/** Mostly called nobody; owns nothing and is in no group. */
const ids = { uid: 65534, gid: 65534 };

function copyTree(from: string, to: string): void {
  if (!Deno.statSync(from).isDirectory) return Deno.copyFileSync(from, to);
  Deno.mkdirSync(to, { recursive: true });
  for (const entry of Deno.readDirSync(from)) copyTree(join(from, entry.name), join(to, entry.name));
}

function giveAway(path: string): void {
  Deno.chownSync(path, ids.uid, ids.gid);
  if (!Deno.statSync(path).isDirectory) return;
  for (const entry of Deno.readDirSync(path)) giveAway(join(path, entry.name));
}

async function packagesInUse(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"], cwd: checkout }).output();
  return (JSON.parse(new TextDecoder().decode(stdout)) as { npmCache: string }).npmCache;
}

/** Lays the copies out below `dir`, which the user must be able to enter. */
export async function layOutForUser(dir: string): Promise<OtherUser> {
  const [deno, denoDir, code] = [join(dir, "deno"), join(dir, "deno_dir"), join(dir, "code")];
  Deno.copyFileSync(Deno.execPath(), deno);
  Deno.chmodSync(deno, 0o755);
  copyTree(await packagesInUse(), join(denoDir, "npm"));
  for (const part of ["deno.json", "deno.lock", "components", "config", "scripts"]) {
    Deno.mkdirSync(code, { recursive: true });
    copyTree(join(checkout, part), join(code, part));
  }
  for (const path of [denoDir, code]) giveAway(path);
  return { ...ids, deno, denoDir, checkout: code };
}
