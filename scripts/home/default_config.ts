/**
 * The configuration of an embedded default that nobody has made yet: for showing and checking grants without one.
 * @module
 */
import type { Home } from "../../config/home.ts";
import { nameserversOf } from "../../config/nameservers.ts";
import { type ControlFile, type Controls, type Row, schema } from "../../config/schema.ts";
import type { Config } from "../../components/lib/permissions/grant.ts";

/** All defaults, for the host name `me`. */
export function defaultControls(me = "localhost"): Controls {
  const values = (Object.keys(schema) as ControlFile[]).map((file) => {
    const row = schema[file] as Row<unknown>;
    return [file, file === "me" ? me : row.fromMe?.(me) ?? row.default] as const;
  });
  return Object.fromEntries(values) as unknown as Controls;
}

export function defaultConfig(home: Home, portOffset: number, controls: Partial<Controls> = {}): Config {
  const all = { ...defaultControls(), ...controls };
  return { home, portOffset, controls: all, nameservers: nameserversOf(all, "") };
}
