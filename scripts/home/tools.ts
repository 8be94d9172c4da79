/**
 * The programs of `bin/`: scripts with the grant written out in them, which clear the caller's environment before a shell
 * starts, as the components' launchers do.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { formatHomeArgs } from "../../components/lib/process/home_args.ts";
import { formatGrant, launchCommand, type Runtime } from "../../components/supervisor/launcher.ts";
import { type Tool, tools } from "../../components/tools/permissions.ts";

/** The script of one tool. */
export function formatTool({ name, permissions }: Tool, home: Home, runtime: Runtime): string {
  // Whoever calls it may have no right to write records of the checks: there are none.
  const quiet = { ...runtime, audit: undefined };
  const command = launchCommand(name, permissions(home), quiet, home, formatHomeArgs(home), `tools/${name}.ts`);
  return `#!/usr/bin/env -S -i /bin/sh\n${formatGrant(command)}`;
}

/** Writes all of them; one that runs just now goes on with the file it has open. */
export function prepareTools(home: Home, runtime: Runtime): void {
  for (const tool of tools) {
    const path = home.bin(tool.name);
    Deno.writeTextFileSync(`${path}.new`, formatTool(tool, home, runtime));
    Deno.chmodSync(`${path}.new`, 0o755);
    Deno.renameSync(`${path}.new`, path);
  }
}
