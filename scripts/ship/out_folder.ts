/** The folder that a command of this kind writes. @module */
import { resolve } from "@std/path";
import { failUsage } from "../cli/command_line.ts";
import { commandOf } from "../cli/commands.ts";

/** The absolute path that `--out` names; ends with 100 where it names none. */
export function outFolder(command: string, args: Readonly<Record<string, unknown>>): string {
  const out = args["out"];
  if (typeof out !== "string" || out === "") failUsage(commandOf(command), "--out DIR says where to");
  return resolve(out);
}
