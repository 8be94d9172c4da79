/**
 * Homes of private servers: made in a temporary folder or where the operator says, and removed with all that was queued.
 * @module
 */
import { ensureDir } from "@std/fs";
import { crc32 } from "node:zlib";
import { join } from "@std/path";
import { ifThere } from "../../components/lib/disk/if_there.ts";
import type { Progress } from "./progress.ts";

const root = join(import.meta.dirname ?? ".", "..", "..");

/** What all private servers of this checkout run from; it stays, and is made anew when the code has changed. */
export const stagedDir = `/tmp/dqmail-bench-${Deno.uid()}-${crc32(root).toString(16)}`;

/** Below `dir`, with a name of its own. */
export async function makeHome(dir: string): Promise<string> {
  return await Deno.makeTempDir({ dir, prefix: "dqmail-bench-" });
}

/** Writes control files over what is there. */
export async function writeControls(home: string, controls: Readonly<Record<string, string>>): Promise<void> {
  await ensureDir(join(home, "control"));
  for (const [file, text] of Object.entries(controls)) {
    await Deno.writeTextFile(join(home, "control", file), `${text}\n`);
  }
}

/** Makes the folders that are missing, and mailboxes u0@localhost, u1@localhost and so on. Needs the control files. */
export async function addUsers(home: string, count: number): Promise<void> {
  if (count === 0) return;
  const users = Array.from({ length: count }, (_, user) => `u${user}@localhost`);
  await runScript(home, "user.ts", ["add", ...users], "add mailboxes");
}

/** Makes DKIM keys of both kinds for `domain`, as an operator would. Needs the control files. */
export async function addDkimKeys(home: string, domain: string): Promise<void> {
  await runScript(home, "dkim.ts", ["keygen", domain], "make DKIM keys");
}

/** Throws, with all it said, where it does not succeed. */
async function runScript(home: string, script: string, args: readonly string[], purpose: string): Promise<void> {
  const log = join(home, "bench-script.log");
  const { success } = await spawnScript(script, [...args, "--home", home], log).status;
  if (!success) throw new Error(`Cannot ${purpose}:\n${await Deno.readTextFile(log)}`);
}

/** Runs a script of this project; the shell only sends its output to a file and is then replaced by it. */
export function spawnScript(script: string, args: readonly string[], log: string): Deno.ChildProcess {
  const command = [Deno.execPath(), "run", "--allow-all", join(root, "scripts", script), ...args];
  return new Deno.Command("/bin/sh", {
    args: ["-c", 'log=$1; shift; exec "$@" >"$log" 2>&1', "sh", log, ...command],
    cwd: root,
    stdin: "null",
  }).spawn();
}

/** Removes a home; `progress`, where it is given, hears of each folder of the queue. */
export async function removeHome(home: string, progress?: Progress): Promise<void> {
  const folders = foldersBelow(join(home, "queue"), 2);
  const total = folders.length;
  const removeSome = async () => {
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      await removeTree(folder);
      progress?.(total - folders.length, total);
    }
  };
  await Promise.all([removeSome(), removeSome()]); // more at a time wait for the same disk
  await removeTree(home);
}

function foldersBelow(dir: string, depth: number): string[] {
  if (depth === 0) return [dir];
  const entries = ifThere(() => Array.from(Deno.readDirSync(dir)));
  if (entries === undefined) return [];
  const names = entries.filter((entry) => entry.isDirectory);
  return names.length === 0 ? [dir] : names.flatMap(({ name }) => foldersBelow(join(dir, name), depth - 1));
}

async function removeTree(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
