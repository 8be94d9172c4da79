/**
 * Who works at a prefix just now: qmail's own programs, or dqmail.
 * @module
 */
import { join } from "@std/path";
import { homeAt } from "../../config/home.ts";
import { ifThere } from "../../components/lib/disk/if_there.ts";
import { askSupervisor } from "../ask.ts";
import type { Place } from "./place.ts";

/** Whether another process has the lock of `path`; who may not open it cannot tell. */
function isLocked(path: string): boolean {
  try {
    using file = Deno.openSync(path, { write: true });
    if (!file.tryLockSync(true)) return true;
    file.unlockSync();
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}

/** Processes whose program lies in the prefix's bin/: qmail's are programs of the machine, ours are deno. */
function programsBelow(bin: string): string[] {
  const found: string[] = [];
  for (const { name } of ifThere(() => [...Deno.readDirSync("/proc")]) ?? []) {
    if (!/^[0-9]+$/.test(name)) continue;
    try {
      const program = Deno.readLinkSync(`/proc/${name}/exe`).replace(/ \(deleted\)$/, "");
      if (program.startsWith(`${bin}/`)) found.push(`${program.slice(bin.length + 1)} (process ${name})`);
    } catch {
      // It has ended, or is not ours to look at.
    }
  }
  return found.sort();
}

/** What runs there, each in words; none: nobody. */
export async function whoRuns(place: Place): Promise<readonly string[]> {
  const home = homeAt(place.prefix);
  const supervisor = await askSupervisor(home, { op: "status" }).catch(() => undefined);
  if (supervisor !== undefined) return [`dqmail's supervisor (process ${supervisor["pid"]})`];
  const programs = programsBelow(join(home.dir, "bin"));
  const locks = ["sendmutex", "queuemutex"].filter((name) => isLocked(home.queue("lock", name)));
  const byLock = locks.length > 0 && programs.length === 0
    ? locks.map((name) =>
      `${name === "sendmutex" ? "qmail-send" : "qmail-queue"} (it holds ${home.queue("lock", name)})`
    )
    : [];
  return [...programs, ...byLock];
}
