/**
 * The real auth, with its real flags, on a home of its own.
 * @module
 */
import { join } from "@std/path";
import { checkpasswordPath, checkpasswordScript } from "../../components/auth/checkpassword_script.ts";
import { manifest } from "../../components/auth/permissions.ts";
import { flagsOf, type Grant } from "../../components/lib/permissions/grant.ts";
import { controlFilesOf } from "../../config/schema.ts";
import { type Home, homeAt } from "../../config/home.ts";
import { readControls } from "../../config/read.ts";
import { defaultConfig } from "../../scripts/home/default_config.ts";
import { LogLines } from "../support/log_lines.ts";
import { eachLine } from "../../components/supervisor/lines.ts";
import { within } from "../support/wait.ts";

export interface AuthHomeOptions {
  readonly passwd: string;
  /** Control files beside `me`. */
  readonly controls?: Readonly<Record<string, string>>;
}

export interface AuthHome extends Disposable {
  readonly home: Home;
  readonly grant: Grant;
  writePasswd(text: string): void;
}

/** A home for auth, with the script around a checkpassword program where control files name one. */
export function authHome({ passwd, controls = {} }: AuthHomeOptions): AuthHome {
  const dir = Deno.makeTempDirSync({ prefix: "dq" });
  const home = homeAt(join(dir, "h"));
  const scripts = home.libexec("grants", "programs");
  for (
    const folder of [
      home.control(""),
      home.users(""),
      home.run("auth"),
      scripts,
      home.run("auth-tickets"),
    ]
  ) {
    Deno.mkdirSync(folder, { recursive: true });
  }
  for (const [file, text] of Object.entries({ me: "mx.example\n", ...controls })) {
    Deno.writeTextFileSync(home.control(file), text);
  }
  const read = readControls(home, controlFilesOf("auth"));
  if (!read.ok) throw new Error(read.error.join("; "));
  const config = defaultConfig(home, 0, read.value);
  const script = manifest.programs?.(config).get(checkpasswordScript);
  if (script !== undefined) {
    Deno.writeTextFileSync(checkpasswordPath(home), script);
    Deno.chmodSync(checkpasswordPath(home), 0o755);
  }
  const writePasswd = (text: string) => {
    Deno.writeTextFileSync(home.users("passwd.new"), text);
    Deno.renameSync(home.users("passwd.new"), home.users("passwd"));
  };
  writePasswd(passwd);
  return {
    home,
    grant: manifest.permissions(config),
    writePasswd,
    [Symbol.dispose]: () => Deno.removeSync(dir, { recursive: true }),
  };
}

export interface AuthProcess extends AsyncDisposable {
  readonly pid: number;
  readonly log: LogLines;
  /** By a signal; answers its exit code. */
  end(signal?: Deno.Signal): Promise<number>;
}

/** Starts auth as the supervisor does; `audit`: the file for Deno's record of permission checks. */
export async function startAuth({ home, grant }: AuthHome, audit?: string): Promise<AuthProcess> {
  const main = new URL("../../components/auth/main.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--cached-only", ...flagsOf(grant, home), main, "--home", home.dir],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: audit === undefined ? {} : { DENO_AUDIT_PERMISSIONS: audit },
  }).spawn();
  const log = new LogLines();
  const ready = Promise.withResolvers<void>();
  void eachLine(child.stdout, (line) => line.includes('"ready"') && ready.resolve());
  void eachLine(child.stderr, (line) => log.add(line));
  let ended = false;
  const status = child.status.finally(() => ended = true);
  const end = async (signal: Deno.Signal = "SIGTERM"): Promise<number> => {
    if (!ended) child.kill(signal);
    return (await status).code;
  };
  await within(Promise.race([ready.promise, status]), 20_000, () => `auth to be ready; its log: ${log.text()}`);
  if (ended) throw new Error(`auth did not start: ${log.text()}`);
  return { pid: child.pid, log, end, [Symbol.asyncDispose]: async () => void await end("SIGKILL") };
}
