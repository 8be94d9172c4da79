/**
 * Settings whose units are looked at: the defaults, and such that everything there is has a use and runs programs.
 * @module
 */
import { homeAt } from "../../config/home.ts";
import { readControls } from "../../config/read.ts";
import { type ControlFile, schema } from "../../config/schema.ts";
import { nameserversOf } from "../../config/nameservers.ts";
import type { Config } from "../../components/lib/permissions/grant.ts";
import { defaultConfig } from "../../scripts/home/default_config.ts";
import { runtimeOf } from "../../scripts/units/runtime.ts";
import { makeUnits } from "../../scripts/units/unit.ts";

const home = homeAt("/var/qmail");

export const plain: Config = defaultConfig(home, 0);

/** Control files of a host that has everything switched on. */
const controlFiles: Readonly<Record<string, string>> = {
  me: "mail.example.org\n",
  listeners:
    "smtp 0.0.0.0:25\nsubmission 0.0.0.0:587\nsubmissions 0.0.0.0:465\npop3 0.0.0.0:110\nqmtp 0.0.0.0:209\nqmqp 127.0.0.1:628\n" +
    "admin 127.0.0.1:8025\n",
  smtpdprocesses: "2\n",
  rcptcheck: "/usr/local/bin/rcptcheck\n",
  checkpassword: "/usr/local/bin/checkpassword\n",
  nameservers: "127.0.0.53:53\n",
};

/** Everything switched on, as control files say it. */
export function busy(): Config {
  const dir = Deno.makeTempDirSync();
  try {
    const temporary = homeAt(dir);
    Deno.mkdirSync(temporary.control(""));
    for (const [file, text] of Object.entries(controlFiles)) Deno.writeTextFileSync(temporary.control(file), text);
    const controls = readControls(temporary, Object.keys(schema) as ControlFile[]);
    if (!controls.ok) throw new Error(controls.error.join("\n"));
    return { home, portOffset: 0, controls: controls.value, nameservers: nameserversOf(controls.value, "") };
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

/** The units of these settings, by file name. */
export function unitsOf(config: Config): ReadonlyMap<string, string> {
  return makeUnits({ config, runtime: runtimeOf(config.home) });
}

/** Settings by the name of their folder below golden/. */
export function samples(): ReadonlyMap<string, Config> {
  return new Map([["plain", plain], ["busy", busy()]]);
}
