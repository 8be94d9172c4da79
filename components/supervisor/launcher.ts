/**
 * The one way a component is started: `libexec/launch/NAME`, a script that never changes, runs `libexec/grants/NAME`,
 * which the supervisor writes: it clears the environment and runs deno with the grant written out in it. Whoever may
 * start a launcher can change no flag. (Two files, because deno refuses to write a path it is allowed to run.)
 * @module
 */
import type { Home } from "../../config/home.ts";
import { flagsOf, type Grant } from "../lib/permissions/grant.ts";

/** Where deno, its cache of packages and this project's code lie. Absolute paths. */
export interface Runtime {
  readonly deno: string;
  readonly denoDir: string;
  readonly code: string;
  /** A folder for the records of every permission check, one file a component; for the tests of the grants. */
  readonly audit: string | undefined;
}

/** One word for /bin/sh. */
function quote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * A young generation of 1 MiB: components make much garbage and keep little. After 5,000 messages of 10 KiB all of them
 * together took 269 MiB (PSS) with it and 342 MiB without, for no more CPU time.
 */
const v8Flags = ["--max-semi-space-size=1"];

/**
 * The command behind a launcher, word by word, without the arguments of whoever starts it; `main` is the program below
 * components/.
 */
export function launchCommand(
  name: string,
  grant: Grant,
  runtime: Runtime,
  home: Home,
  args: readonly string[],
  main = `${name}/main.ts`,
): string[] {
  const environment = [
    "PATH=/usr/bin:/bin",
    `DENO_DIR=${runtime.denoDir}`,
    "DENO_NO_UPDATE_CHECK=1",
    "NO_COLOR=1",
    ...(runtime.audit === undefined ? [] : [`DENO_AUDIT_PERMISSIONS=${runtime.audit}/${name}.jsonl`]),
  ];
  const deno = [
    runtime.deno,
    "run",
    "--quiet",
    "--no-prompt",
    "--cached-only",
    "--frozen",
    `--v8-flags=${v8Flags.join(",")}`,
    "--config",
    `${runtime.code}/deno.json`,
    ...flagsOf(grant, home),
    `${runtime.code}/components/${main}`,
    ...args,
  ];
  return ["/usr/bin/env", "-i", ...environment, ...deno];
}

/**
 * The launcher of a component. Its first line clears the environment before a shell starts: where /bin/sh is bash,
 * variables of the caller could make it run anything.
 */
export function formatLauncher(name: string, home: Home): string {
  return `#!/usr/bin/env -S -i /bin/sh\nexec /bin/sh ${quote(home.libexec("grants", name))} "$@"\n`;
}

/** The grant as a script. What it is started with is appended to the component's arguments. */
export function formatGrant(command: readonly string[]): string {
  return `umask 022\nexec ${command.map(quote).join(" ")} "$@"\n`;
}
