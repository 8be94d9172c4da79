/**
 * The real tally, with its real flags, on a home of its own.
 * @module
 */
import { homeAt } from "../../config/home.ts";
import { type Config, flagsOf } from "../../components/lib/permissions/grant.ts";
import { TallyClient } from "../../components/lib/wire/tally_client.ts";
import { eachLine } from "../../components/supervisor/lines.ts";
import { manifest } from "../../components/tally/permissions.ts";
import { LogLines } from "../support/log_lines.ts";
import { tempDir } from "../support/temp_dir.ts";

const main = new URL("../../components/tally/main.ts", import.meta.url).pathname;

/** A home for it, which goes away with its scope. */
export function tallyHome() {
  const dir = tempDir();
  const home = homeAt(dir.path);
  for (const folder of [home.run("tally"), home.tally()]) Deno.mkdirSync(folder, { recursive: true });
  return { home, [Symbol.dispose]: dir[Symbol.dispose] };
}
export type TallyHome = ReturnType<typeof tallyHome>;

export interface TallyProcess extends AsyncDisposable {
  readonly client: TallyClient;
  readonly log: LogLines;
  /** Ends it by a signal; answers the exit code. */
  end(signal: Deno.Signal): Promise<number>;
}

/** Starts it and waits until it is ready; `audit`: the file for deno's record of permission checks. */
export async function startTally({ home }: TallyHome, audit?: string): Promise<TallyProcess> {
  const flags = flagsOf(manifest.permissions({ home } as Config), home);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--cached-only", ...flags, main, "--home", home.dir],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: audit === undefined ? {} : { DENO_AUDIT_PERMISSIONS: audit },
  }).spawn();
  const [out, log] = [new LogLines(), new LogLines()];
  const reading = Promise.all([
    eachLine(child.stdout, (line) => out.add(line)),
    eachLine(child.stderr, (line) => log.add(line)),
  ]);
  let isOver = false;
  const end = async (signal: Deno.Signal) => {
    client.close();
    if (!isOver) child.kill(signal);
    isOver = true;
    const { code } = await child.status;
    await reading;
    return code;
  };
  const client = new TallyClient(home);
  try {
    await out.waitFor((line) => line.includes(`"ready"`), 20_000);
  } catch (error) {
    await end("SIGKILL");
    throw new Error(`${error}; it said: ${log.text()}`);
  }
  return {
    client,
    log,
    end,
    [Symbol.asyncDispose]: async () => void await end("SIGKILL"),
  };
}
