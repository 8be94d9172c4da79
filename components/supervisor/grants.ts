/**
 * Writes the grants of components as scripts, and the scripts around programs of the operator: for the supervisor, and for
 * what takes its place where systemd starts the components.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { ifThere } from "../lib/disk/if_there.ts";
import { putFile } from "../lib/disk/put_file.ts";
import { type Config, type Grant, instancesOf, type Manifest, userHomeWord } from "../lib/permissions/grant.ts";
import { formatHomeArgs } from "../lib/process/home_args.ts";
import { formatGrant, formatHomeGrants, homeGrantName, launchCommand, type Runtime } from "./launcher.ts";

/** The text of a file; empty where there is none. */
export function readText(path: string): string {
  return ifThere(() => Deno.readTextFileSync(path)) ?? "";
}

/** Writes a grant's script; answers whether it is another than before. */
function writeGrant(path: string, text: string): boolean {
  if (readText(path) === text) return false;
  putFile(path, text);
  return true;
}

/** Writes the scripts around the operator's programs of one component, and removes those it has no use for any more. */
function writePrograms(home: Home, { name: component }: Manifest, scripts: ReadonlyMap<string, string>): void {
  const folder = home.libexec("grants", "programs");
  Deno.mkdirSync(folder, { recursive: true });
  for (const { name } of Deno.readDirSync(folder)) {
    if (name.startsWith(`${component}-`) && !scripts.has(name)) Deno.removeSync(`${folder}/${name}`);
  }
  for (const [name, text] of scripts) {
    if (writeGrant(`${folder}/${name}`, text)) Deno.chmodSync(`${folder}/${name}`, 0o755);
  }
}

/** Writes all of a component's grants, none for one that is not needed; answers whether its own is another than before. */
export function writeGrants(manifest: Manifest, config: Config, runtime: Runtime): boolean {
  const { home, portOffset } = config;
  const path = home.libexec("grants", manifest.name);
  if (manifest.programs !== undefined) writePrograms(home, manifest, manifest.programs(config));
  if (instancesOf(manifest, config) === 0) {
    ifThere(() => Deno.removeSync(path));
    return false;
  }
  const args = formatHomeArgs(home);
  const own = manifest.startedBy === "supervisor" ? [...args, "--port-offset", String(portOffset)] : args;
  const command = (grant: Grant, more: readonly string[]) => launchCommand(manifest.name, grant, runtime, home, more);
  const commands = Object.entries(manifest.forHome ?? {}).map(([word, grantOf]) => {
    const grant = grantOf(config, userHomeWord);
    // Where an ordinary user started all, his home may hold what every component runs from.
    const except = [...grant.except ?? [], runtime.code, runtime.denoDir];
    return [word, command({ ...grant, except }, [...args, `--${word}`])] as const;
  });
  if (commands.length > 0) {
    writeGrant(home.libexec("grants", homeGrantName(manifest.name)), formatHomeGrants(new Map(commands)));
  }
  return writeGrant(path, formatGrant(command(manifest.permissions(config), own)));
}
