/**
 * The real multilog, with its real flags, on a home of its own.
 * @module
 */
import { homeAt } from "../../config/home.ts";
import { ask } from "../../components/lib/wire/ask.ts";
import type { Frame } from "../../components/lib/wire/frame.ts";
import { type Config, flagsOf } from "../../components/lib/permissions/grant.ts";
import { manifest } from "../../components/multilog/permissions.ts";
import { eachLine } from "../../components/supervisor/lines.ts";
import { LogLines } from "../support/log_lines.ts";
import { tempDir } from "../support/temp_dir.ts";

const main = new URL("../../components/multilog/main.ts", import.meta.url).pathname;

/** A home for it, which goes away with its scope. */
export function multilogHome() {
  const dir = tempDir();
  const home = homeAt(dir.path);
  for (const folder of [home.run("multilog"), home.log(), home.control("")]) {
    Deno.mkdirSync(folder, { recursive: true });
  }
  return { home, [Symbol.dispose]: dir[Symbol.dispose] };
}
export type MultilogHome = ReturnType<typeof multilogHome>;

export interface MultilogProcess extends AsyncDisposable {
  readonly log: LogLines;
  /** Gives it text. */
  give(text: string): Promise<void>;
  ask(request: object): Promise<Frame>;
  signal(signal: Deno.Signal): void;
  /** Ends its input, or it by a signal; answers the exit code. */
  end(signal?: Deno.Signal): Promise<number>;
}

/** Starts it and waits until it is ready. */
export async function startMultilog({ home }: MultilogHome): Promise<MultilogProcess> {
  const flags = flagsOf(manifest.permissions({ home } as Config), home);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--cached-only", ...flags, main, "--home", home.dir, "--supervised"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [out, log] = [new LogLines(), new LogLines()];
  const reading = Promise.all([
    eachLine(child.stdout, (line) => out.add(line)),
    eachLine(child.stderr, (line) => log.add(line)),
  ]);
  const writer = child.stdin.getWriter();
  writer.closed.catch(() => {});
  let isOver = false;
  const end = async (signal?: Deno.Signal) => {
    if (!isOver && signal !== undefined) child.kill(signal);
    else if (!isOver) await writer.close().catch(() => {});
    isOver = true;
    const { code } = await child.status;
    await writer.close().catch(() => {});
    await reading;
    return code;
  };
  const isReady = out.waitFor((line) => line.includes(`"ready"`), 20_000).then(() => true, () => false);
  if (!await Promise.race([isReady, reading.then(() => false)])) {
    // It may have ended by itself.
    await end("SIGKILL").catch(() => {});
    out.add(`"ready"`);
    throw new Error(`it is not ready; it said: ${log.text()}`);
  }
  return {
    log,
    give: (text) => writer.write(new TextEncoder().encode(text)),
    ask: (request) => ask(home.socket("multilog"), request),
    signal: (signal) => child.kill(signal),
    end,
    [Symbol.asyncDispose]: async () => {
      if (!isOver) await end("SIGKILL");
    },
  };
}
