/**
 * `libexec/launch/program`, the only thing a qmail-local may ever run, and how its command line is made. The script gives
 * a program of a `.qmail` file its limits and its environment, and sees to its end.
 *
 * Its words: the number of the qmail-local that starts it, the seconds it may use, the command, and `NAME=value` for
 * each variable; command and values in octal where an octet is not plain, for a word of ours cannot hold any octet. The
 * script never reads one as a command, but for the user's own, which `/bin/sh -c` gets as one word.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { endedCode, escapeWord, quote } from "../lib/process/program_words.ts";

/** The script's words. */
export function programWords(
  parent: number,
  seconds: number,
  command: string,
  environment: ReadonlyMap<string, string>,
): string[] {
  const variables = Array.from(environment, ([name, value]) => `${name}=${escapeWord(value)}`);
  return [String(parent), String(seconds), escapeWord(command), ...variables];
}

/**
 * The script. `setpriv` has the kernel send TERM to it when its parent dies, be it by SIGKILL; the program is a session
 * and group of its own, all of which is killed then, when its time is over, and when its first process has ended: a
 * process left in the background holds up nobody. One that made a session of its own is found by the variable that all of
 * them were started with, DQMAIL_DELIVERY. Limits: no core file, 4 GiB a file, CPU time as long as it may run, 256
 * open files, 500 processes of that user.
 */
export function formatProgramScript(home: Home): string {
  return `#!/usr/bin/env -S -i setpriv --pdeathsig TERM /bin/sh
exec 3<&0 0</dev/null 2>&1
# Who started this may have died before the kernel knew whom to watch.
[ "$PPID" = "$1" ] || exit 111
decode() { value=$(printf '%b.' "$1"); value=\${value%.}; }
decode "$3"
command=$value
seconds=$2
shift 3
for word do
  decode "\${word#*=}"
  export "\${word%%=*}=$value"
done
export PATH=${quote(home.bin())}:/usr/local/bin:/usr/bin:/bin
unset OLDPWD
ulimit -c 0
ulimit -t "$seconds"
ulimit -f 8388608
ulimit -n 256
ulimit -u 500 2>/dev/null || ulimit -p 500
mark=DQMAIL_DELIVERY=$PPID.$$
sweep() {
  # Again and again, for what is found may have started another meanwhile.
  for round in 1 2 3 4 5 6 7 8; do
    left=$(grep -slzxF -e "$mark" /proc/[0-9]*/environ)
    [ -n "$left" ] || return 0
    for environ in $left; do
      environ=\${environ#/proc/}
      kill -s KILL "\${environ%/environ}"
    done
  done
}
trap 'kill -s KILL -- "-$!" "$!"; sweep; exit ${endedCode}' TERM
# It ignores INT and QUIT, as a shell's background does; no terminal sends it any.
env "$mark" setsid setpriv --pdeathsig KILL /bin/sh -c -- "$command" <&3 3<&- &
exec 3<&- 2>/dev/null
wait "$!"
code=$?
kill -s KILL -- "-$!"
sweep
exit "$code"
`;
}
