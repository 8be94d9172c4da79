/**
 * The programs of `bin/`: scripts with the grant written out in them, which clear the caller's environment before a shell
 * starts, as the components' launchers do.
 *
 * A tool that has to know its caller's environment gets it beside the shell, not through it: timeout(1), with no time
 * limit, keeps the environment and the command line it was started with for as long as it waits, the shell below it has
 * neither, and the octets of both go to the tool in base64. No name or value can reach a shell's variables or functions,
 * deno, or a decoder on that way, and none is changed.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { readControls } from "../../config/read.ts";
import { putFile } from "../../components/lib/disk/put_file.ts";
import { routeOf } from "../../components/lib/filters/controls.ts";
import type { ClientNote } from "../../components/lib/filters/filter.ts";
import { formatRouteText } from "../../components/lib/filters/route.ts";
import { formatHomeArgs } from "../../components/lib/process/home_args.ts";
import { defaultUserHomes } from "../../components/lib/users/user_homes.ts";
import { launchCommand, programPath, quote, type Runtime } from "../../components/supervisor/launcher.ts";
import { formatDqmail } from "./dqmail_script.ts";
import { type Tool, type ToolControls, tools, type Wrapper, wrappers } from "../../components/tools/permissions.ts";

/** Base64 in lines of whole groups, each below the 128 KiB that Linux allows one argument. */
const base64 = "/usr/bin/base64 -w 98304";

/** The script of one tool. */
export function formatTool(tool: Tool, home: Home, runtime: Runtime): string {
  const settings = settingsOf(home);
  const command = commandOf(tool, home, runtime, settings);
  return `#!/usr/bin/env -S ${interpreter(tool)}\n${preparation(tool, home, settings)}exec ${command}\n`;
}

/** What the scripts take from the control files, as they stand. */
interface Settings extends ToolControls {
  /** The program that queues for tools whose caller names none; absent: the daemon does. */
  readonly queueProgram?: string;
  /** Whom mail that is written here goes through, as formatRouteText() writes it; absent: nobody. */
  readonly route?: string;
}

/** Who reads such a file to use it says what is wrong with it. */
function settingsOf(home: Home): Settings {
  const read = readControls(home, ["filterbytes", "filterlarge", "filters", "mode", "qmqpservers", "userhomes"]);
  if (!read.ok) return { userHomes: defaultUserHomes };
  const { filters, mode, qmqpservers, userhomes } = read.value;
  const route = routeOf(read.value, "local", writtenHere);
  const own = {
    userHomes: userhomes,
    qmqpservers,
    filters,
    ...(route === undefined ? {} : { route: formatRouteText(route) }),
  };
  return mode === "mini" ? { ...own, queueProgram: home.bin(qmqpClient) } : own;
}

/** Who brings mail that programs in bin/ queue. */
const writtenHere: ClientNote = { entrance: "local", ip: "unknown", helo: "", tls: false, relaying: true };

/** What stands in qmail-queue's place on a host without a queue. */
const qmqpClient = "qmail-qmqpc";

/** What env(1) becomes; wordsBeforeArguments of support/caller.ts counts the words of the one with timeout, and the script. */
function interpreter({ knowsCaller, knowsFilters, paths }: Tool): string {
  if (knowsCaller) return "/usr/bin/timeout --foreground 0 /usr/bin/env -i /bin/sh";
  const names = [...paths?.variables ?? [], ...knowsFilters === undefined ? [] : [knowsFilters]];
  const variables = names.map((name) => `${name}=\${${name}} `);
  return `-i ${variables.join("")}/bin/sh`;
}

/** Shell lines in front of the command. */
function preparation(tool: Tool, home: Home, { queueProgram }: Settings): string {
  const lines: string[] = [];
  // Those that start other programs or make folders keep their caller's umask.
  if (!tool.knowsCaller && tool.paths === undefined) lines.push("umask 022");
  for (const word of wordsOf(tool)) lines.push(...pathChecks(tool.name, word));
  if (tool.knowsCaller) {
    lines.push(`environment=$(${base64} /proc/$PPID/environ) || exit 111`);
    lines.push(`command=$(${base64} /proc/$PPID/cmdline) || exit 111`);
  }
  if (tool.runsFor !== undefined) {
    // A value with a line end may pass for the variable here: the tool itself looks at the names alone.
    const flags = [...tool.permissions(home).run === undefined ? ["--allow-run=/bin/sh"] : [], nodeSpawn];
    const names = tool.runsFor.join("|");
    if (queueProgram !== undefined) lines.push(`also='${flags.join(" ")}'`);
    else lines.push("also=", `/bin/grep -qzE '^(${names})=.' /proc/$PPID/environ && also='${flags.join(" ")}'`);
  }
  if (tool.knowsSocket) {
    lines.push("inode=$(/usr/bin/readlink /proc/self/fd/0) && inode=${inode#socket:?} && inode=${inode%?}");
    lines.push('socket=$(/bin/grep -h " $inode " /proc/net/tcp /proc/net/tcp6 2>/dev/null)');
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** The one variable node's spawn() asks for; it is never set. */
const nodeSpawn = "--allow-env=NODE_V8_COVERAGE";

function wordsOf({ paths }: Tool): string[] {
  return [...new Set([...paths?.read ?? [], ...paths?.write ?? []])];
}

function isArgument(word: string): boolean {
  return /^\$[0-9]$/.test(word);
}

/** A comma would end the path for deno's flag; no path at all would be an error of deno's. */
function pathChecks(name: string, word: string): string[] {
  const missing = isArgument(word) ? "usage: see its manual" : `fatal: ${word.slice(1)} not set`;
  return [
    `[ -n "${word}" ] || { echo '${name}: ${missing}' >&2; exit ${isArgument(word) ? 100 : 111}; }`,
    `case ${word} in *,*) echo '${name}: fatal: a path with a comma' >&2; exit 111 ;; esac`,
  ];
}

function commandOf(tool: Tool, home: Home, runtime: Runtime, settings: Settings): string {
  // Whoever calls it may have no right to write records of the checks: there are none.
  const quiet = { ...runtime, audit: undefined };
  const main = `tools/${tool.name}.ts`;
  const args = tool.withoutHome ? [] : formatHomeArgs(home);
  const command = launchCommand(tool.name, tool.permissions(home, settings), quiet, home, args, main);
  const at = command.indexOf(programPath(runtime, main));
  const flags = [
    ...(["read", "write"] as const).filter((kind) => tool.paths?.[kind] !== undefined)
      .map((kind) => `--allow-${kind}="${tool.paths![kind]!.join(",")}"`),
    ...tool.runsFor !== undefined ? ["$also"] : [],
  ];
  return [...command.slice(0, at).map(quote), ...flags, ...command.slice(at).map(quote), callerWords(tool, settings)]
    .join(" ");
}

/** What the tool learns of its caller. */
function callerWords(tool: Tool, { queueProgram, route }: Settings): string {
  const { knowsCaller, knowsFilters, knowsSocket, runsFor, paths } = tool;
  if (paths?.variables !== undefined) {
    const variables = paths.variables.map((name) => `"$${name}"`);
    return [...variables, ...paths.read?.some(isArgument) ? ['"$@"'] : []].join(" ");
  }
  if (knowsFilters !== undefined) return `--filters "$${knowsFilters}" "$@"`;
  if (!knowsCaller) return '"$@"';
  const socket = knowsSocket ? '--socket "$socket" ' : "";
  // Unquoted: base64 has neither blanks nor patterns, and its lines are to be words.
  const queue = runsFor === undefined || queueProgram === undefined ? "" : `--queue-program ${quote(queueProgram)} `;
  const filters = runsFor === undefined || route === undefined ? "" : `--filters ${quote(route)} `;
  return `${socket}${queue}${filters}--environment $environment --command-line $command`;
}

/** The script of a wrapper. It starts with its caller's environment, which is for the program it becomes. */
export function formatWrapper({ script }: Wrapper, home: Home): string {
  return `#!/bin/sh\n${script((name) => quote(home.bin(name)))}\n`;
}

/** Writes all of them; one that runs just now goes on with the file it has open. */
export function prepareTools(home: Home, runtime: Runtime): void {
  const isMini = settingsOf(home).queueProgram !== undefined;
  const scripts = new Map(tools.map((tool) => [tool.name, formatTool(tool, home, runtime)]));
  for (const [name, script] of scripts) {
    putFile(home.bin(name), isMini && name === "qmail-queue" ? scripts.get(qmqpClient)! : script, 0o755);
  }
  putFile(home.bin("dqmail"), formatDqmail(home, runtime), 0o755);
  for (const wrapper of wrappers) putFile(home.bin(wrapper.name), formatWrapper(wrapper, home), 0o755);
}
