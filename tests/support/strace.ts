/**
 * System calls of running processes, counted by strace(1) where it is there and may look at other processes.
 * @module
 */
import { fromOctets } from "../../components/lib/octets.ts";
import { findProgram, type Need, needs } from "./program.ts";
import { tempDir } from "./temp_dir.ts";

/** What a test needs that counts calls. */
export const straceNeed: Need = needOfStrace();

function needOfStrace(): Need {
  const need = needs(["strace", "sleep"]);
  if (need.ignore) return need;
  const sleeper = new Deno.Command("sleep", { args: ["0.2"], stdin: "null", stdout: "null" }).spawn();
  const args = ["-qqq", "-c", "-o", "/dev/null", "-p", String(sleeper.pid)];
  const { success } = new Deno.Command(findProgram("strace")!, { args, stdin: "null", stderr: "null" }).outputSync();
  return success ? need : { ignore: true, note: " (skipped: strace may not look at other processes)" };
}

/** Calls by name, of one process with all its threads. */
export type Calls = Readonly<Record<string, number>>;

/** Counts what processes (by their names) call while `work` goes on. */
export async function callsDuring(
  pids: Readonly<Record<string, number>>,
  work: () => Promise<void>,
): Promise<Readonly<Record<string, Calls>>> {
  using dir = tempDir();
  const tracers = await Promise.all(Object.entries(pids).map(([name, pid]) => attach(pid, `${dir.path}/${name}`)));
  try {
    await work();
  } finally {
    await Promise.all(tracers.map((tracer) => tracer.detach()));
  }
  return Object.fromEntries(
    Object.keys(pids).map((name) => [name, parseCalls(Deno.readTextFileSync(`${dir.path}/${name}`))]),
  );
}

interface Tracer {
  detach(): Promise<void>;
}

/** Settles once every thread is looked at. */
async function attach(pid: number, output: string): Promise<Tracer> {
  const child = new Deno.Command(findProgram("strace")!, {
    args: ["-f", "-c", "-U", "calls,name", "-o", output, "-p", String(pid)],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const reader = child.stderr.getReader();
  let said = "";
  while (!said.includes("attached")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`strace: ${said}`);
    said += fromOctets(value);
  }
  const rest = (async () => {
    while (!(await reader.read()).done) { /* new threads */ }
  })();
  return {
    detach: async () => {
      child.kill("SIGINT");
      await rest;
      await child.status;
    },
  };
}

/** The lines of strace's table: `  123 write`. */
function parseCalls(table: string): Calls {
  const rows = [...table.matchAll(/^\s*(\d+)\s+([a-z_0-9]+)\s*$/gm)];
  return Object.fromEntries(
    rows.filter(([, , name]) => name !== "total").map(([, count, name]) => [name!, Number(count)]),
  );
}
