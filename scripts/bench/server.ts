/**
 * A private dqmail for one benchmark: its own home in a temporary folder, its own ports on loopback, stopped and removed
 * with everything it queued when the benchmark ends.
 * @module
 */
import net from "node:net";
import { ensureDir } from "@std/fs";
import { join } from "@std/path";
import { expandMaildirs } from "./pattern.ts";

/** What the private server is to do. */
export interface ServerPlan {
  /** The folder in which the home is made. */
  readonly dir: string;
  /** Mailboxes u0@localhost, u1@localhost and so on. */
  readonly users: number;
  /** Keep everything in the queue. */
  readonly hold: boolean;
  /** Port of 127.0.0.1 to which all remote mail goes; without one remote mail is held. */
  readonly relayPort: number | undefined;
}

/** A private server that answers on its SMTP port. */
export interface Server extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  readonly maildirs: readonly string[];
}

const host = "127.0.0.1";
const startLimitMs = 30_000;
const stopLimitMs = 10_000;
const root = join(import.meta.dirname ?? ".", "..", "..");

/** The control files for a plan. */
export function controlFiles(plan: ServerPlan, ports: { readonly smtp: number; readonly admin: number }) {
  return {
    me: "localhost",
    locals: "localhost",
    rcpthosts: "localhost",
    relayclients: "127.0.0.0/8",
    listeners: `smtp ${host}:${ports.smtp}\nadmin ${host}:${ports.admin}`,
    concurrencyremote: plan.hold || plan.relayPort === undefined ? "0" : "20",
    ...(plan.hold ? { concurrencylocal: "0" } : {}),
    ...(plan.relayPort === undefined ? {} : { smtproutes: `:${host}:${plan.relayPort}` }),
  };
}

/** Makes a home, starts dqmail in it and waits for its 220. Throws, with the end of its log, where that does not come. */
export async function startServer(plan: ServerPlan): Promise<Server> {
  const home = await Deno.makeTempDir({ dir: plan.dir, prefix: "dqmail-bench-" });
  const port = freePort();
  try {
    await ensureDir(join(home, "control"));
    for (const [file, text] of Object.entries(controlFiles(plan, { smtp: port, admin: freePort() }))) {
      await Deno.writeTextFile(join(home, "control", file), `${text}\n`);
    }
    const log = join(home, "bench.log");
    const process = spawnScript("start.ts", ["--home", home], log);
    const stop = () => stopServer(process, home);
    try {
      await awaitGreeting(port, process);
      if (plan.users > 0) await addUsers(home, plan.users); // only a started home has a folder for them
    } catch (error) {
      const tail = (await Deno.readTextFile(log)).split("\n").slice(-20).join("\n");
      await stop();
      throw new Error(`Cannot start dqmail: ${error instanceof Error ? error.message : error}\n${tail}`);
    }
    const maildirs = expandMaildirs(join(home, "mail", "localhost", "u%u", "Maildir"), plan.users);
    return { host, port, pid: process.pid, maildirs, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await removeHome(home);
    throw error;
  }
}

async function addUsers(home: string, count: number): Promise<void> {
  const users = Array.from({ length: count }, (_, user) => `u${user}@localhost`);
  const log = join(home, "bench-user.log");
  const { success } = await spawnScript("user.ts", ["add", ...users, "--home", home], log).status;
  if (!success) throw new Error(`Cannot add mailboxes:\n${await Deno.readTextFile(log)}`);
}

/** Runs a script of this project; the shell only sends its output to a file and is then replaced by it. */
function spawnScript(script: string, args: readonly string[], log: string): Deno.ChildProcess {
  const command = [Deno.execPath(), "run", "--allow-all", join(root, "scripts", script), ...args];
  return new Deno.Command("/bin/sh", {
    args: ["-c", 'log=$1; shift; exec "$@" >"$log" 2>&1', "sh", log, ...command],
    cwd: root,
    stdin: "null",
  }).spawn();
}

/** A port that was free a moment ago. */
function freePort(): number {
  using listener = Deno.listen({ hostname: host, port: 0 });
  return listener.addr.port;
}

async function awaitGreeting(port: number, process: Deno.ChildProcess): Promise<void> {
  let ended = false;
  process.status.then(() => ended = true);
  const end = performance.now() + startLimitMs;
  while (!await greets(port)) {
    if (ended) throw new Error("it ended before its first 220");
    if (performance.now() > end) throw new Error(`no 220 within ${startLimitMs / 1000} seconds`);
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

async function stopServer(process: Deno.ChildProcess, home: string): Promise<void> {
  signal(process, "SIGTERM");
  const timer = setTimeout(() => signal(process, "SIGKILL"), stopLimitMs);
  await process.status;
  clearTimeout(timer);
  await removeHome(home);
}

function signal(process: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    process.kill(name);
  } catch {
    // it has ended by itself
  }
}

async function removeHome(home: string): Promise<void> {
  try {
    await Deno.remove(home, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
