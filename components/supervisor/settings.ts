/**
 * The supervisor's own arguments.
 * @module
 */
import { CannotStart } from "../lib/process/component.ts";
import { type Binaries, binariesFile, parseBinaries } from "./binaries.ts";
import type { Runtime } from "./launcher.ts";

export interface Settings extends Runtime {
  /** Started by root: each component runs as its own user. */
  readonly changeUser: boolean;
  /** The log is made of JSON objects. */
  readonly json: boolean;
}

/** The supervisor's own arguments. Throws CannotStart when one is missing: they come from the one who wrote its launcher. */
export function parseRuntime(args: Readonly<Record<string, unknown>>): Settings {
  const path = (name: string): string => {
    const value = args[name];
    if (typeof value !== "string" || !value.startsWith("/")) throw new CannotStart(`--${name} needs an absolute path`);
    return value;
  };
  return {
    deno: path("deno"),
    denoDir: path("deno-dir"),
    code: path("code"),
    bundled: args["bundled"] === true,
    ...args["binaries"] === undefined ? {} : { binaries: readBinaries(path("binaries")) },
    audit: args["audit"] === undefined ? undefined : path("audit"),
    changeUser: args["change-user"] === true,
    json: args["json"] === true,
  };
}

function readBinaries(dir: string): Binaries {
  return parseBinaries(Deno.readTextFileSync(`${dir}/${binariesFile}`), dir);
}
