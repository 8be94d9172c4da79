/**
 * Other versions of this checkout, and their `deno task upgrade` of a system that runs.
 * @module
 */
import { assert } from "@std/assert";
import { join } from "@std/path";
import { checkout, type System } from "./system.ts";
import type { TaskResult } from "./task.ts";
import { within } from "./wait.ts";

/** How long one may take at the most. */
export const upgradeMs = 60_000;

/** A copy of this checkout, in which components have other programs. */
export function otherVersion(system: System, name: string, changes: Readonly<Record<string, string>>): string {
  const dir = join(system.baseDir, name);
  Deno.mkdirSync(dir);
  const parts = ["components", "config", "scripts", "deno.json", "deno.lock"].map((part) => join(checkout, part));
  const { success } = new Deno.Command("cp", { args: ["-R", ...parts, dir] }).outputSync();
  assert(success);
  for (const [component, main] of Object.entries(changes)) {
    Deno.writeTextFileSync(join(dir, "components", component, "main.ts"), main);
  }
  return dir;
}

/** `deno task upgrade` of the checkout `dir`; to its sources, as `kind` has it, which takes less time than bundles. */
export async function upgrade(
  system: System,
  dir: string,
  kind: "bundles" | "sources" = "sources",
): Promise<TaskResult> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--allow-all", "--config", join(dir, "deno.json"), join(dir, "scripts", "upgrade.ts")],
      ...["--home", system.home.dir, ...(kind === "sources" ? ["--sources"] : [])],
    ],
    cwd: dir,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await within(child.output(), upgradeMs, () => "the end of the upgrade");
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Process ids by name, the supervisor's too. */
export async function pids(system: System): Promise<Map<string, number | undefined>> {
  const { pid, components } = await system.waitUntilReady();
  const running = components.filter(({ state }) => state === "running");
  return new Map([["supervisor", pid], ...running.map(({ name, pid }) => [name, pid] as const)]);
}

/** The words a process was started with. */
export function wordsOf(pid: number | string): string[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
  } catch {
    return [];
  }
}

/** The process that takes everything over from the supervisor `before`, while it does. */
export function successorOf({ home }: System, before: number): number | undefined {
  const found = Array.from(Deno.readDirSync("/proc"), ({ name }) => name).find((pid) => {
    const words = wordsOf(pid);
    // The one before it was a successor, too, perhaps.
    return Number(pid) !== before && words.includes(home.dir) && words.includes("--successor") &&
      words.some((word) => /\/components\/supervisor\/main\.[jt]s$/.test(word));
  });
  return found === undefined ? undefined : Number(found);
}

/** What is staged below libexec, beside the scripts. */
export function staged({ home }: System): string[] {
  return Array.from(Deno.readDirSync(home.libexec()), ({ name }) => name)
    .filter((name) => !["grants", "launch"].includes(name)).sort();
}
