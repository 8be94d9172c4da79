/**
 * A home with hooks in it: programs as shell scripts, their scripts written as the supervisor writes them.
 * @module
 */
import type { Controls } from "../../config/schema.ts";
import { type Home, homeAt } from "../../config/home.ts";
import { readControls } from "../../config/read.ts";
import { manifest } from "../../components/hooks/permissions.ts";
import { Programs, usualLimits } from "../../components/hooks/programs.ts";
import type { Limits } from "../../components/hooks/programs.ts";
import { run } from "../../components/hooks/run.ts";
import { type Config, flagsOf } from "../../components/lib/permissions/grant.ts";
import type { Running } from "../../components/lib/process/component.ts";
import { HooksClient } from "../../components/lib/wire/hooks_client.ts";
import { defaultConfig } from "../../scripts/home/default_config.ts";
import { tempDir } from "../support/temp_dir.ts";

/** Programs that hooks' scripts need. */
const missing = ["setpriv", "setsid"].filter((name) =>
  !["/bin", "/usr/bin"].some((dir) => {
    try {
      return Deno.statSync(`${dir}/${name}`).isFile;
    } catch {
      return false;
    }
  })
);

export const ignore = missing.length > 0;
/** For the names of tests. */
export const note = ignore ? ` (skipped: no ${missing.join(", ")})` : "";

export interface World extends AsyncDisposable {
  readonly home: Home;
  readonly client: HooksClient;
  /** What the client was told of trouble. */
  readonly trouble: string[];
  /** Writes a program of /bin/sh; answers its path. */
  program(name: string, text: string): string;
  /** A file's text below the home. */
  read(name: string): string;
  has(name: string): boolean;
  /** The grant and the scripts for the control files as they are now; then what starts hooks with them. */
  configure(controls: Readonly<Record<string, string>>): Config;
  /** In this process. */
  start(limits?: Partial<Limits>): void;
  /** As a process with its grant and no other right; settles when it is ready. `audit`: a folder for deno's record. */
  startProcess(options?: { readonly audit?: string }): Promise<Deno.ChildProcess>;
}

export function world(): World {
  const dir = tempDir();
  const home = homeAt(`${dir.path}/h`);
  for (const folder of [home.control(""), home.run("hooks"), home.libexec("grants", "programs"), home.bin()]) {
    Deno.mkdirSync(folder, { recursive: true });
  }
  const trouble: string[] = [];
  const client = new HooksClient(home.socket("hooks"), { onTrouble: (reason) => void trouble.push(reason) });
  let running: Running | undefined;
  let child: Deno.ChildProcess | undefined;
  let flags: readonly string[] = [];
  return {
    home,
    client,
    trouble,
    program: (name, text) => {
      const path = `${home.dir}/${name}`;
      Deno.writeTextFileSync(path, `#!/bin/sh\n${text}\n`);
      Deno.chmodSync(path, 0o755);
      return path;
    },
    read: (name) => Deno.readTextFileSync(`${home.dir}/${name}`),
    has: (name) => Array.from(Deno.readDirSync(home.dir)).some((entry) => entry.name === name),
    configure: (controls) => {
      for (const [file, text] of Object.entries(controls)) Deno.writeTextFileSync(home.control(file), text);
      const read = readControls(home, ["rcptcheck", "smtpplugins", "tcp.smtp", "tcp.smtp.cdb"]);
      if (!read.ok) throw new Error(read.error.join("; "));
      const config = defaultConfig(home, 0, read.value as Partial<Controls>);
      for (const [name, text] of manifest.programs!(config)) {
        Deno.writeTextFileSync(home.libexec("grants", "programs", name), text);
        Deno.chmodSync(home.libexec("grants", "programs", name), 0o755);
      }
      flags = flagsOf(manifest.permissions(config), home);
      return config;
    },
    start: (limits = {}) => {
      const programs = new Programs(home, { ...usualLimits, ...limits });
      running = run({ home, portOffset: 0, requestStop: () => {} }, programs);
    },
    startProcess: async ({ audit } = {}) => {
      const main = new URL("../../components/hooks/main.ts", import.meta.url).pathname;
      child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--no-prompt", "--cached-only", ...flags, main, "--home", home.dir],
        stdin: "null",
        stdout: "piped",
        stderr: "null",
        env: audit === undefined ? {} : { DENO_AUDIT_PERMISSIONS: `${audit}/hooks.jsonl` },
      }).spawn();
      for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
        if (text.includes('"ready"')) return child;
      }
      throw new Error("hooks did not start");
    },
    [Symbol.asyncDispose]: async () => {
      client.close();
      await running?.stop();
      if (child !== undefined) {
        try {
          child.kill("SIGKILL");
        } catch {
          // It has ended.
        }
        await child.status;
      }
      dir[Symbol.dispose]();
    },
  };
}
