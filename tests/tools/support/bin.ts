/**
 * Programs of `bin/` in a home of their own, each with the script and the grant it has in a real one, and no daemon
 * behind them. For those that need one: startSystem().
 * @module
 */
import { fromOctets, toOctets } from "../../../components/lib/octets.ts";
import { type Tool, tools, wrappers } from "../../../components/tools/permissions.ts";
import type { Runtime } from "../../../components/supervisor/launcher.ts";
import { type Home, homeAt } from "../../../config/home.ts";
import { formatTool, formatWrapper } from "../../../scripts/home/tools.ts";
import { checkout } from "../../support/system.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { within } from "../../support/wait.ts";

function runtimeHere(): Runtime {
  const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"], cwd: checkout }).outputSync();
  const { denoDir } = JSON.parse(new TextDecoder().decode(stdout)) as { denoDir: string };
  return { deno: Deno.execPath(), denoDir, code: checkout, audit: undefined };
}

export interface Bin extends Disposable {
  readonly home: Home;
  /** A folder for the test's own files: the working directory of what {@link Bin.run} runs. */
  readonly dir: string;
  run(line: string, options?: RunOptions): Promise<Ran>;
}

export interface RunOptions {
  /** An octet string; none: an empty file. */
  readonly input?: string;
  /** Only texts; other octets are made by the shell's line. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Output as octet strings. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const limitMs = 30_000;

/**
 * Runs a shell's line with the home's bin in front of PATH. `code` is the line's. What takes more than half a minute is
 * killed and a failure.
 */
export async function runLine(home: Home, dir: string, line: string, options: RunOptions = {}): Promise<Ran> {
  Deno.writeFileSync(`${dir}/.input`, toOctets(options.input ?? ""));
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", `exec <.input\n${line}`],
    cwd: dir,
    clearEnv: true,
    env: { PATH: `${home.bin()}:/usr/bin:/bin`, ...options.env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  try {
    const { code, stdout, stderr } = await within(child.output(), limitMs, () => line);
    return { code, stdout: fromOctets(stdout), stderr: fromOctets(stderr) };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

/** `change` alters a tool before its script is made: another grant, say. `controls`: control files by name. */
export function makeBin(
  names: readonly string[],
  change: (tool: Tool) => Tool = (tool) => tool,
  controls: Readonly<Record<string, string>> = {},
): Bin {
  const folder = tempDir();
  const home = homeAt(`${folder.path}/h`);
  const dir = `${folder.path}/work`;
  for (const path of [home.bin(), dir]) Deno.mkdirSync(path, { recursive: true });
  Deno.mkdirSync(home.control(""));
  for (const [file, text] of Object.entries({ me: "host.example\n", ...controls })) {
    Deno.writeTextFileSync(home.control(file), text);
  }
  const runtime = runtimeHere();
  for (const name of names) {
    const tool = tools.find((tool) => tool.name === name);
    const wrapper = wrappers.find((wrapper) => wrapper.name === name);
    const script = tool === undefined ? formatWrapper(wrapper!, home) : formatTool(change(tool), home, runtime);
    Deno.writeTextFileSync(home.bin(name), script, { mode: 0o755 });
  }
  return {
    home,
    dir,
    run: (line, options) => runLine(home, dir, line, options),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}
