/**
 * A server of another make as a process of ours: watched for its first 220, ended by its own process id, by force where it
 * takes too long.
 * @module
 */
import { greets, host } from "../instance.ts";
import { pause } from "../clock.ts";

export interface Greeted {
  readonly pid: number;
  /** From the command to the first 220. */
  readonly greetingSeconds: number;
  stop(): Promise<void>;
}

const startLimitMs = 30_000;
const stopLimitMs = 15_000;
const pollMs = 10;

/** How a server is started and ended. */
export interface Launch {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  /** Gets what it says. */
  readonly log: string;
  /** Whom to ask to end; undefined: the process itself. */
  readonly mainPid?: () => number | undefined;
}

/** Starts it. Throws, with the end of its log, where no 220 comes. */
export async function launch({ name, command, env, port, log, mainPid }: Launch): Promise<Greeted> {
  const begin = performance.now();
  // The shell only sends the output to a file and is then replaced by the server.
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", 'log=$1; shift; exec "$@" >>"$log" 2>&1', "sh", log, ...command],
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...env },
    clearEnv: true,
    cwd: "/",
    stdin: "null",
  }).spawn();
  let ended = false;
  const status = child.status.then(() => ended = true);
  const stop = async () => {
    if (ended) return;
    signal(mainPid?.() ?? child.pid, "SIGTERM");
    const timer = setTimeout(() => signal(child.pid, "SIGKILL"), stopLimitMs);
    await status;
    clearTimeout(timer);
  };
  while (!await greets(port)) {
    if (!ended && performance.now() - begin < startLimitMs) {
      await pause(pollMs);
      continue;
    }
    const why = ended ? "it ended before its first 220" : `no 220 at ${host}:${port} in ${startLimitMs / 1000} seconds`;
    await stop();
    const tail = (await Deno.readTextFile(log)).split("\n").slice(-20).join("\n");
    throw new Error(`Cannot start ${name}: ${why}\n${tail}`);
  }
  return { pid: child.pid, greetingSeconds: (performance.now() - begin) / 1000, stop };
}

function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // it has ended by itself
  }
}
