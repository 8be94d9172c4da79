/**
 * Writes the files that units_test.ts compares with anew: `deno run -A tests/units/write_golden.ts`. Read the difference.
 * @module
 */
import { dirname, fromFileUrl, join } from "@std/path";
import { formatSysusers } from "../../scripts/units/accounts.ts";
import { samples, unitsOf } from "./samples.ts";

export const golden = join(dirname(fromFileUrl(import.meta.url)), "golden");

/** Folder and name to text, of all of them. */
export function goldenFiles(): ReadonlyMap<string, string> {
  const units = Array.from(
    samples(),
    ([folder, config]) => Array.from(unitsOf(config), ([name, text]) => [`${folder}/${name}`, text] as const),
  );
  return new Map([...units.flat(), ["dqmail.sysusers", formatSysusers("/var/qmail")]]);
}

if (import.meta.main) {
  Deno.mkdirSync(golden, { recursive: true });
  for (const folder of samples().keys()) {
    const path = join(golden, folder);
    Deno.mkdirSync(path, { recursive: true });
    for (const { name } of Deno.readDirSync(path)) Deno.removeSync(join(path, name));
  }
  for (const [name, text] of goldenFiles()) Deno.writeTextFileSync(join(golden, name), text);
}
