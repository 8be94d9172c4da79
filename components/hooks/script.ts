/**
 * The script around one program of the operator, which the supervisor writes and hooks runs: deno's grant names the
 * script, so hooks can start nothing else.
 *
 * Its words: the number of the process that starts it, seconds of processor time, `check` or `queue`, and `NAME=value` for
 * each variable, the value in octal where an octet is not plain. `check`: the program reads nothing, its output is the
 * script's. `queue`: message on descriptor 0 for the program's 0, envelope on 3 for its 1, and its 6 is 4.
 * @module
 */
import type { Home } from "../../config/home.ts";
import type { Hook } from "../lib/hooks/plugins_file.ts";
import { nodeCrypto } from "../lib/process/builtin.ts";
import { endedCode, escapeWord, quote } from "../lib/process/program_words.ts";
import { programPath } from "../lib/tcprules/variables.ts";

export type Mode = "check" | "queue";

/** The script's words. */
export function hookWords(
  parent: number,
  seconds: number,
  mode: Mode,
  environment: ReadonlyMap<string, string>,
): string[] {
  const variables = Array.from(environment, ([name, value]) => `${name}=${escapeWord(value)}`);
  return [String(parent), String(seconds), mode, ...variables];
}

/** What an operator reads of a hook in a listing of files; its hash tells it from all others. */
export function scriptName(hook: Hook, home: Home): string {
  const [kind, text] = "program" in hook ? ["program", programPath(hook.program, home)] : ["command", hook.command];
  const hash = nodeCrypto().createHash("sha256").update(`${kind} ${text}`, "latin1").digest("hex").slice(0, 16);
  const words = text.slice(kind === "program" ? text.lastIndexOf("/") + 1 : 0);
  return `hooks-${words.replace(/[^A-Za-z0-9_.-]+/g, "_").slice(0, 40)}-${hash}`;
}

/** Where the supervisor puts it. */
export function scriptPath(hook: Hook, home: Home): string {
  return home.libexec("grants", "programs", scriptName(hook, home));
}

/**
 * The script. `setpriv` has the kernel send TERM to it when its parent dies, be it by SIGKILL; the program is a session
 * and group of its own, all of which is killed then, when it has to go, and when its first process has ended: a process
 * left in the background holds up nobody. The variables are set by env(1) as the very last, so none has a meaning to what
 * runs before. Limits: no core file, 4 GiB a file, 256 open files, 500 processes of that user. 120: there is no such
 * program.
 */
export function formatHookScript(hook: Hook, home: Home): string {
  const program = "program" in hook ? programPath(hook.program, home) : undefined;
  const words = program === undefined ? `/bin/sh -c ${quote((hook as { command: string }).command)}` : quote(program);
  const there = program === undefined ? "" : `[ -f ${quote(program)} ] && [ -x ${quote(program)} ] || exit 120\n`;
  return `#!/usr/bin/env -S -i setpriv --pdeathsig TERM /bin/sh
exec 5<&0 0</dev/null
# Who started this may have died before the kernel knew whom to watch.
[ "$PPID" = "$1" ] || exit 111
${there}seconds=$2
mode=$3
shift 3
left=$#
while [ "$left" -gt 0 ]; do
  case $1 in
  [0-9]* | [!A-Za-z_]* | PATH=* | LD_* | BASH*) exit 120 ;;
  *=*\\\\*) value=$(printf '%b.' "\${1#*=}") && value=\${1%%=*}=\${value%.} ;;
  *=*) value=$1 ;;
  *) exit 120 ;;
  esac
  set -- "$@" "$value"
  shift
  left=$((left - 1))
done
path=PATH=${quote(home.bin())}:/usr/local/bin:/usr/bin:/bin
ulimit -c 0
ulimit -t "$seconds"
ulimit -f 8388608
ulimit -n 256
ulimit -u 500 2>/dev/null || ulimit -p 500
trap 'kill -s KILL -- "-$!" "$!"; exit ${endedCode}' TERM
case $mode in
check) setsid setpriv --pdeathsig KILL env -i -- "$path" "$@" ${words} </dev/null 5<&- & ;;
queue) setsid setpriv --pdeathsig KILL env -i -- "$path" "$@" ${words} <&5 1<&3 6>&4 3<&- 4>&- 5<&- & ;;
*) exit 120 ;;
esac
# The program's alone: its end is to be seen on the other side.
exec 1>&- 2>&- 3<&- 4>&- 5<&-
wait "$!"
code=$?
kill -s KILL -- "-$!" 2>/dev/null
exit "$code"
`;
}
