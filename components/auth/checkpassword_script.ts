/**
 * The script around control/checkpassword's program, which the supervisor writes and auth runs: deno's grant names the
 * script, so auth can start nothing else.
 *
 * Its words: the number of the process that starts it, and the client's address, which becomes TCPREMOTEIP. What it gets
 * on standard input is the program's descriptor 3, where a checkpassword program reads (qmail's interface); no other
 * descriptor leads anywhere.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { endedCode, quote } from "../lib/process/program_words.ts";
import type { Checkpassword } from "../lib/sasl/checkpassword_file.ts";

export const checkpasswordScript = "auth-checkpassword";

/** Where the supervisor puts it. */
export function checkpasswordPath(home: Home): string {
  return home.libexec("grants", "programs", checkpasswordScript);
}

/**
 * The script. `setpriv` has the kernel send TERM to it when auth dies, be it by SIGKILL; the program is a session and
 * group of its own, all of which is killed then, when its time is over, and when its first process has ended.
 */
export function formatCheckpasswordScript(command: Checkpassword): string {
  return `#!/usr/bin/env -S -i setpriv --pdeathsig TERM /bin/sh
exec 3<&0 0</dev/null >/dev/null 2>&1
# Who started this may have died before the kernel knew whom to watch.
[ "$PPID" = "$1" ] || exit 111
export PATH=/usr/local/bin:/usr/bin:/bin PROTO=TCP TCPREMOTEIP="$2"
unset OLDPWD
ulimit -c 0
trap 'kill -s KILL -- "-$!" "$!"; exit ${endedCode}' TERM
setsid setpriv --pdeathsig KILL ${command.map(quote).join(" ")} &
exec 3<&-
wait "$!"
code=$?
kill -s KILL -- "-$!"
exit "$code"
`;
}
