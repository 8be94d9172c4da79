/**
 * control/smtpplugins (qmail-spp's interface): sections in brackets, of whose names only the first letter counts, and a
 * plug-in a line: the path of a program, or `:` and a command for /bin/sh. Run in that order.
 * @module
 */
import { type PluginStage, pluginStages } from "../policy/oracles.ts";
import { err, ok, type Result } from "../result.ts";
import { isProgramPath } from "../tcprules/variables.ts";

/** A program by its path, absolute or below the home; or a command for /bin/sh. Octet strings. */
export type Hook = { readonly program: string } | { readonly command: string };

/** The plug-ins of each section that has any. */
export type Plugins = ReadonlyMap<PluginStage, readonly Hook[]>;

/** An octet string. A section nobody knows, or a line before the first, is an error. */
export function parsePlugins(text: string): Result<Plugins, string> {
  const plugins = new Map<PluginStage, Hook[]>();
  let stage: PluginStage | undefined;
  for (const raw of text.split("\n")) {
    const line = raw.replace(/^[ \t]+|[ \t\r]+$/g, "");
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("[")) {
      const letter = line.slice(1, 2).toLowerCase();
      stage = line.endsWith("]") ? pluginStages.find((name) => name.startsWith(letter) && letter !== "") : undefined;
      if (stage === undefined) return expected(`a section of [${pluginStages.join("], [")}]`, line);
      continue;
    }
    if (stage === undefined) return expected("a section in front of the first plug-in", line);
    const hook = parseHook(line);
    if (hook === undefined) return expected("the plain path of a program, or : and a command", line);
    const hooks = plugins.get(stage);
    if (hooks === undefined) plugins.set(stage, [hook]);
    else hooks.push(hook);
  }
  return ok(plugins);
}

function parseHook(line: string): Hook | undefined {
  if (!line.startsWith(":")) return isProgramPath(line) ? { program: line } : undefined;
  const command = line.slice(1);
  return command === "" || command.includes("\0") ? undefined : { command };
}

function expected(what: string, got: string): Result<never, string> {
  return err(`expected ${what}, got ${JSON.stringify(got)}`);
}
