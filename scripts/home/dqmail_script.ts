/**
 * `bin/dqmail`: all commands of an operator's, for this home.
 *
 * Unlike the other programs there it has its caller's environment and every right that its caller has: it starts the whole,
 * reads the log, writes control files. Nobody runs it for somebody else.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { bundlePath, codeFlags, quote, type Runtime } from "../../components/supervisor/launcher.ts";

const main = "scripts/dqmail.ts";

/** The script. A home that the caller names, by `--home` or in DQMAIL_HOME, comes before the one it lies in. */
export function formatDqmail(home: Home, runtime: Runtime): string {
  const program = `${runtime.code}/${runtime.bundled === true ? bundlePath(main) : main}`;
  const command = [runtime.deno, "run", "--quiet", "--allow-all", ...codeFlags(runtime), program];
  return `#!/bin/sh
export DENO_DIR=${quote(runtime.denoDir)} DENO_NO_UPDATE_CHECK=1
[ -n "$DQMAIL_HOME" ] || DQMAIL_HOME=${quote(home.dir)}
export DQMAIL_HOME
exec ${command.map(quote).join(" ")} "$@"
`;
}
