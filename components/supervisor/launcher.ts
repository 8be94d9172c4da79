/**
 * The one way a component is started: `libexec/launch/NAME`, a script that never changes, runs `libexec/grants/NAME`,
 * which the supervisor writes: it clears the environment and runs deno with the grant written out in it. Whoever may
 * start a launcher can change no flag. (Two files, because deno refuses to write a path it is allowed to run.)
 * @module
 */
import type { Home } from "../../config/home.ts";
import { bakedKey, type Binaries } from "./binaries.ts";
import { flagsOf, type Grant, userHomeWord } from "../lib/permissions/grant.ts";

/** Where deno, its cache of packages and this project's code lie. Absolute paths. */
export interface Runtime {
  readonly deno: string;
  readonly denoDir: string;
  /** The folder that holds components/: of a checkout, or of bundles. */
  readonly code: string;
  /** Each program is one file that needs no packages (`deno task bundle`); absent: `code` holds the sources. */
  readonly bundled?: boolean;
  /** Programs that need no deno as long as their grant is the one they were made with. */
  readonly binaries?: Binaries;
  /** A folder for the records of every permission check, one file a component; for the tests of the grants. */
  readonly audit: string | undefined;
}

/** One word for /bin/sh. */
export function quote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * A young generation of 1 MiB: components make much garbage and keep little. After 5,000 messages of 10 KiB all of them
 * together took 269 MiB (PSS) with it and 342 MiB without, for no more CPU time. The two that every message comes in by have 4
 * MiB, which takes a tenth off their processor time.
 */
export function v8Flags(name: string): string {
  const mebibytes = name === "qmail-smtpd" || name === "qmail-queue" ? 4 : 1;
  return `--v8-flags=--max-semi-space-size=${mebibytes}`;
}

/** A program's bundle by the path of its source: it lies in the same folder of another tree. */
export function bundlePath(main: string): string {
  return main.replace(/\.ts$/, ".js");
}

/** The file that deno runs for the program with the source `main` below components/. */
export function programPath({ code, bundled = false }: Runtime, main: string): string {
  return `${code}/components/${bundled ? bundlePath(main) : main}`;
}

/** What keeps deno to the code that is there. */
export function codeFlags({ code, bundled = false }: Runtime): readonly string[] {
  if (bundled) return ["--no-remote", "--no-npm", "--no-config"];
  return ["--cached-only", "--frozen", "--config", `${code}/deno.json`];
}

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
  const flags = flagsOf(grant, home);
  // A binary records no checks.
  const binaries = runtime.audit === undefined ? runtime.binaries : undefined;
  const binary = binaries?.get(bakedKey(main, [v8Flags(name), ...flags], args));
  if (binary !== undefined) return ["/usr/bin/env", "-i", "PATH=/usr/bin:/bin", "NO_COLOR=1", binary];
  const environment = [
    "PATH=/usr/bin:/bin",
    `DENO_DIR=${runtime.denoDir}`,
    "DENO_NO_UPDATE_CHECK=1",
    "NO_COLOR=1",
    ...(grant.broker === undefined ? [] : [`DENO_PERMISSION_BROKER_PATH=${home.socket(grant.broker)}`]),
    ...(runtime.audit === undefined ? [] : [`DENO_AUDIT_PERMISSIONS=${runtime.audit}/${name}.jsonl`]),
  ];
  const deno = [
    runtime.deno,
    "run",
    "--quiet",
    "--no-prompt",
    v8Flags(name),
    ...codeFlags(runtime),
    ...flags,
    programPath(runtime, main),
    ...args,
  ];
  return ["/usr/bin/env", "-i", ...environment, ...deno];
}

/**
 * The launcher of a component. Its first line clears the environment before a shell starts: where /bin/sh is bash,
 * variables of the caller could make it run anything.
 */
export function formatLauncher(name: string, home: Home, { forHome = [] }: LauncherOptions = {}): string {
  const exec = (grant: string) => `exec /bin/sh ${quote(home.libexec("grants", grant))} "$@"`;
  const words = forHome.map((word) => `--${word}`).join(" | ");
  const choice = forHome.length === 0
    ? exec(name)
    : `case $1 in\n${words}) ;;\n*) ${exec(name)} ;;\nesac\n${exec(homeGrantName(name))}`;
  return `#!/usr/bin/env -S -i /bin/sh\n${choice}\n`;
}

export interface LauncherOptions {
  /** The words that ask for a grant of one account's home, without their `--`. */
  readonly forHome?: readonly string[];
}

/** The file with the grants for accounts' homes. */
export function homeGrantName(name: string): string {
  return `${name}-account`;
}

/**
 * The grants of a program for accounts' homes, as one script: `--WORD HOME`. It takes a home only for what it is: an
 * absolute path in its plain form, without a comma or a line end, which would make two paths of one in a flag; and not
 * `/`. It reaches deno within flags, never as a flag of its own, and nothing else of the caller does.
 */
export function formatHomeGrants(commands: ReadonlyMap<string, readonly string[]>): string {
  const words = (command: readonly string[]) => command.map(quoteWithHome).join(" ");
  const cases = Array.from(commands, ([word, command]) => `--${word}) exec ${words(command)} ;;\n`);
  return `umask 077
[ $# = 2 ] || exit 100
home=$2
case $home in
/*[!/]) ;;
*) exit 100 ;;
esac
case $home/ in
*,* | *'
'* | *//* | */./* | */../*) exit 100 ;;
esac
case $1 in
${cases.join("")}esac
exit 100
`;
}

/** One word for /bin/sh, in which the variable `home` stands for an account's home. */
function quoteWithHome(word: string): string {
  return word.split(userHomeWord).map((part) => part === "" ? "" : quote(part)).join('"$home"');
}

/** The grant as a script. What it is started with is appended to the component's arguments. */
export function formatGrant(command: readonly string[]): string {
  return `umask 022\nexec ${command.map(quote).join(" ")} "$@"\n`;
}
