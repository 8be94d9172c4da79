/**
 * A home as root's start makes it, without a start: what the units run is there.
 * @module
 */
import { homeAt } from "../../config/home.ts";
import type { Config } from "../../components/lib/permissions/grant.ts";
import { readConfig } from "../../components/supervisor/config.ts";
import {
  prepareControls,
  prepareFolders,
  prepareLaunchers,
  prepareMailboxes,
  prepareSocketFolders,
} from "../../scripts/home/prepare.ts";
import { stage } from "../../scripts/home/stage.ts";

/** Makes it in the folder `dir`, with these control files. */
export async function prepareHome(dir: string, controls: Readonly<Record<string, string>>): Promise<Config> {
  const home = homeAt(dir);
  prepareFolders(home);
  for (const [file, text] of Object.entries(controls)) Deno.writeTextFileSync(home.control(file), text);
  prepareControls(home);
  const config = readConfig(home, 0);
  if (!("controls" in config)) throw new Error(config.join("\n"));
  prepareSocketFolders(home, config.controls.listeners);
  prepareMailboxes(home, config.controls.me);
  await stage(home);
  prepareLaunchers(home);
  return config;
}
