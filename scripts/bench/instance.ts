/**
 * A private dqmail in a home that is there: started as an operator would, watched for its first 220, stopped in order.
 * @module
 */
import net from "node:net";
import { join } from "@std/path";
import { spawnScript, stagedDir } from "./home.ts";
import { commandLineOf, processesBelow } from "./processes.ts";

export const host = "127.0.0.1";

/** A dqmail that has said its first 220. */
export interface Instance {
  readonly home: string;
  readonly port: number;
  /** Of the start script: the root of the server's process tree. */
  readonly pid: number;
  /** When its start began, as performance.now() tells. */
  readonly begunAt: number;
  /** From the beginning of the start to the first 220. */
  readonly greetingSeconds: number;
  /** Stops it in order, or by force after the limit. Can be called again. */
  stop(): Promise<Stopped>;
}

export interface Stopped {
  readonly seconds: number;
  /** It had not ended within the limit. */
  readonly killed: boolean;
}

export interface InstanceOptions {
  readonly startLimitMs: number;
  readonly stopLimitMs: number;
  /** Called as soon as there is a process, before it says anything. */
  readonly onSpawn?: (stop: () => Promise<Stopped>) => void;
}

/** Starts dqmail and waits for its 220 on `port`. Throws, with the end of its log, where that does not come. */
export async function startInstance(home: string, port: number, options: InstanceOptions): Promise<Instance> {
  const log = join(home, "bench.log");
  const begunAt = performance.now();
  const process = spawnScript("start.ts", ["--home", home, "--staged", stagedDir], log);
  let stopped: Promise<Stopped> | undefined;
  const stop = () => stopped ??= stopProcess(process, options.stopLimitMs);
  options.onSpawn?.(stop);
  let greetingSeconds: number;
  try {
    await awaitGreeting(port, process, options.startLimitMs);
    greetingSeconds = (performance.now() - begunAt) / 1000;
    await awaitWelcome(log, process, options.startLimitMs);
  } catch (error) {
    const tail = (await Deno.readTextFile(log).catch(() => "")).split("\n").slice(-20).join("\n");
    await stop();
    throw new Error(`Cannot start dqmail: ${error instanceof Error ? error.message : error}\n${tail}`);
  }
  return { home, port, pid: process.pid, begunAt, greetingSeconds, stop };
}

/** Until everything runs, and what prepared it is gone: the 220 comes before that. */
async function awaitWelcome(log: string, process: Deno.ChildProcess, limitMs: number): Promise<void> {
  const end = performance.now() + limitMs;
  const isPreparing = () => processesBelow(process.pid).some((pid) => commandLineOf(pid).includes("/scripts/prepare."));
  while (!(await Deno.readTextFile(log)).includes("dqmail runs:") || isPreparing()) {
    if (performance.now() > end) throw new Error(`not everything runs within ${limitMs / 1000} seconds`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A port that was free a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: host, port: 0 });
  return listener.addr.port;
}

async function awaitGreeting(port: number, process: Deno.ChildProcess, limitMs: number): Promise<void> {
  let ended = false;
  process.status.then(() => ended = true);
  const end = performance.now() + limitMs;
  while (!await greets(port)) {
    if (ended) throw new Error("it ended before its first 220");
    if (performance.now() > end) throw new Error(`no 220 within ${limitMs / 1000} seconds`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether a server on `port` of 127.0.0.1 answers a connection by 220. */
export function greets(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = net.connect({ host, port, timeout: 5000 });
  socket.once("data", (chunk) => {
    socket.end("QUIT\r\n");
    resolve(chunk.toString("latin1").startsWith("220"));
  });
  socket.once("timeout", () => socket.destroy());
  socket.on("error", () => {}); // nobody listens yet; "close" follows
  socket.once("close", () => resolve(false));
  return promise;
}

async function stopProcess(process: Deno.ChildProcess, limitMs: number): Promise<Stopped> {
  const begin = performance.now();
  let killed = false;
  signal(process, "SIGTERM");
  const timer = setTimeout(() => {
    killed = true;
    signal(process, "SIGKILL");
  }, limitMs);
  await process.status;
  clearTimeout(timer);
  return { seconds: (performance.now() - begin) / 1000, killed };
}

function signal(process: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    process.kill(name);
  } catch {
    // it has ended by itself
  }
}
