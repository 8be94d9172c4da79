/**
 * `deno task NAME` as a child, for tests of the scripts.
 * @module
 */
import { join } from "@std/path";
import { checkout } from "./system.ts";
import { within } from "./wait.ts";

export interface TaskResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const taskMs = 30_000;

/** Runs scripts/NAME.ts with `args` in the folder `cwd`; `input` is its standard input. Kills it after 30 seconds. */
export async function runTask(
  name: string,
  args: readonly string[],
  { input = "", cwd = checkout }: { input?: string; cwd?: string } = {},
): Promise<TaskResult> {
  const script = join(checkout, "scripts", `${name}.ts`);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", "--config", join(checkout, "deno.json"), script, ...args],
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const writer = child.stdin.getWriter();
  // A task that does not read its input may have ended before it is written.
  await writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  try {
    const output = await within(child.output(), taskMs, () => `deno task ${name} ${args.join(" ")}`);
    const decoder = new TextDecoder();
    return { code: output.code, stdout: decoder.decode(output.stdout), stderr: decoder.decode(output.stderr) };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}
