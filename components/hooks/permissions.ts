import type { Home } from "../../config/home.ts";
import { controlFilesOf } from "../../config/schema.ts";
import { programsOf } from "../lib/filters/chain.ts";
import type { Hook } from "../lib/hooks/plugins_file.ts";
import { type Config, controlPaths, type Grant, type Manifest } from "../lib/permissions/grant.ts";
import { tcpRulesOf } from "../lib/tcprules/control_files.ts";
import { isOwnQueue, programPath, programVariables } from "../lib/tcprules/variables.ts";
import { formatHookScript, scriptName, scriptPath } from "./script.ts";

/** Every program that the configuration names, and every command of a plug-in: nothing else is ever run. */
export function hooksOf({ home, controls }: Config): readonly Hook[] {
  const rules = tcpRulesOf(controls);
  const named = programVariables.flatMap((name) => [...rules?.valuesOf(name) ?? []]);
  const programs = [controls.rcptcheck, ...named, ...programsOf(controls.filters)].filter((program) =>
    program !== "" && !isOwnQueue(program, home)
  );
  const hooks: Hook[] = [...programs.map((program) => ({ program })), ...[...controls.smtpplugins.values()].flat()];
  return hooks.filter((hook) => !("program" in hook && isLauncher(programPath(hook.program, home), home)));
}

/** Only the supervisor and qmail-lspawn start components, whatever a control file says. */
function isLauncher(path: string, home: Home): boolean {
  return path.startsWith(`${home.libexec()}/`);
}

/** One script for each of them. */
function programs(config: Config): ReadonlyMap<string, string> {
  return new Map(hooksOf(config).map((hook) => [scriptName(hook, config.home), formatHookScript(hook, config.home)]));
}

/** hooks' grant: the scripts around those programs. */
function permissions(config: Config): Grant {
  const { home } = config;
  return {
    read: controlPaths(home, controlFilesOf("hooks")),
    serves: ["hooks"],
    run: [...new Set(hooksOf(config).map((hook) => scriptPath(hook, home)))],
    // Asked for by node's spawn(), which alone gives a child pipes beyond 2; it is never set.
    env: ["NODE_V8_COVERAGE"],
  };
}

export const manifest: Manifest = {
  name: "hooks",
  job: "runs the programs that the operator wants asked about mail",
  account: "qmaild",
  startedBy: "supervisor",
  stopOrder: 3,
  permissions,
  programs,
  neededWhen: (config) => hooksOf(config).length > 0,
  neededWords: "a program is named in rcptcheck, smtpplugins, filters or tcp.smtp",
};
