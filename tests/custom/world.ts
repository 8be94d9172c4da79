/**
 * custom as a process with its grant and no other right.
 * @module
 */
import { fromFileUrl } from "@std/path";
import { manifest } from "../../components/custom/permissions.ts";
import { v8Flags } from "../../components/supervisor/launcher.ts";
import { flagsOf } from "../../components/lib/permissions/grant.ts";
import type { Home } from "../../config/home.ts";
import { readControls } from "../../config/read.ts";
import { defaultConfig } from "../../scripts/home/default_config.ts";

export interface Custom extends AsyncDisposable {
  readonly flags: readonly string[];
  /** What it says on standard error, line by line, as far as it is read. */
  readonly lines: AsyncIterator<string>;
  /** Largest resident set so far, in bytes. */
  rss(): number;
  kill(signal: Deno.Signal): Promise<void>;
}

export function customFlags(home: Home): readonly string[] {
  const read = readControls(home, ["customfilter", "filters"]);
  if (!read.ok) throw new Error(read.error.join("; "));
  return flagsOf(manifest.permissions(defaultConfig(home, 0, read.value)), home);
}

/** Settles when it is ready. `filters`, and perhaps `customfilter`, stand among the home's control files. */
export async function startCustom(home: Home): Promise<Custom> {
  Deno.mkdirSync(home.run("custom"), { recursive: true });
  const flags = customFlags(home);
  const main = fromFileUrl(new URL("../../components/custom/main.ts", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--cached-only", v8Flags("custom"), ...flags, main, "--home", home.dir],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines = linesOf(child.stderr);
  const out = linesOf(child.stdout);
  for (let { done, value } = await out.next(); !value?.includes('"ready"'); { done, value } = await out.next()) {
    if (done) throw new Error(`custom did not start: ${(await lines.next()).value}`);
  }
  return {
    flags,
    lines,
    rss: () => Number(/VmHWM:\s*([0-9]+) kB/.exec(Deno.readTextFileSync(`/proc/${child.pid}/status`))?.[1]) * 1024,
    kill: async (signal) => {
      child.kill(signal);
      await child.status;
    },
    [Symbol.asyncDispose]: async () => {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await child.status;
      await out.return(undefined);
      await lines.return(undefined);
    },
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let text = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    text += piece;
    const lines = text.split("\n");
    text = lines.pop()!;
    yield* lines;
  }
}
